// Cluster DNS in front of the embedded control plane: the names of a Service lead to its addresses.
import { decode, encode } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { parseManifests } from '../../src/api/manifests.ts';
import { createCluster } from '../../src/cluster.ts';
import { createClusterDns } from '../../src/dns/cluster-dns.ts';

const MANIFEST = 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {clusterIP: 10.96.0.20, ports: [{port: 80, name: http}]}\n';

async function dnsOf(manifest: string) {
  const cluster = createCluster();
  cluster.apply(parseManifests(manifest));
  const dns = await createClusterDns();
  cluster.connect(dns);
  return dns;
}

describe('cluster DNS', () => {
  test('resolves the name of a Service to its cluster IP', async () => {
    const dns = await dnsOf(MANIFEST);
    const { outcome, answer } = await dns.resolve('web.default.svc.cluster.local', 'A');
    expect(outcome).toBe('ANSWER');
    expect(answer).toMatchObject([{ type: 'A', address: '10.96.0.20' }]);
  });

  test('answers on the wire, and says NXDOMAIN for a name that is not there', async () => {
    const dns = await dnsOf(MANIFEST);
    const ask = async (name: string) => {
      const reply = await dns.query(encode({ type: 'query', id: 7, questions: [{ type: 'A', name }] }));
      return decode(Buffer.from(reply));
    };
    expect(await ask('web.default.svc.cluster.local')).toMatchObject({
      id: 7,
      rcode: 'NOERROR',
      answers: [{ type: 'A', data: '10.96.0.20' }],
    });
    expect(await ask('gone.default.svc.cluster.local')).toMatchObject({ rcode: 'NXDOMAIN', answers: [] });
  });
});
