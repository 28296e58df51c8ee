// Answers that the conformance data leaves out, through the wire format.
import { describe, expect, test } from 'vitest';
import { parseManifests } from '../../src/api/manifests.ts';
import { type ClusterDns, createClusterDns } from '../../src/dns/cluster-dns.ts';
import type { ClusterDnsOptions } from '../../src/dns/settings.ts';
import { queryMessage, readReply } from './messages.ts';

async function dnsOf(manifest: string, options: ClusterDnsOptions = {}): Promise<ClusterDns> {
  const dns = await createClusterDns(options);
  dns.apply(parseManifests(`{apiVersion: v1, kind: Namespace, metadata: {name: prod}}\n---\n${manifest}`));
  return dns;
}

async function ask(dns: ClusterDns, name: string, type: string) {
  return readReply(await dns.query(queryMessage({ name, type })));
}

const HOST_POD = (name: string) =>
  `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, namespace: prod}, spec: {hostNetwork: true}, status: {phase: Running, podIP: 192.168.0.11}}\n---\n`;

describe('the fixed name of the name server', () => {
  test.each([
    ['A', 0],
    ['MX', 0],
    ['SRV', 0],
    ['TXT', 3],
    ['PTR', 3],
  ])('is there for %s with rcode %i: text and reverse look-ups do not know it', async (type, rcode) => {
    const dns = await dnsOf('', { localIPs: ['10.96.0.10'] });
    expect((await ask(dns, 'ns.dns.cluster.local', type)).rcode).toBe(rcode);
  });
});

describe('Pods that share the address of their node', () => {
  test('have one record, whose weight counts all of them', async () => {
    const dns = await dnsOf(HOST_POD('a') + HOST_POD('b'), { pods: 'verified' });
    const name = '192-168-0-11.prod.pod.cluster.local';
    expect((await ask(dns, name, 'A')).answers).toMatchObject([{ type: 'A', data: '192.168.0.11' }]);
    expect((await ask(dns, name, 'SRV')).answers).toMatchObject([{ type: 'SRV', data: { port: 0, weight: 50, target: name } }]);
  });
});
