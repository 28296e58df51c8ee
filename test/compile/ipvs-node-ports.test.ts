// Node ports in IPVS mode: the addresses of the node that have virtual services for them, and what the sets say then.
import { describe, expect, test } from 'vitest';
import { createDataplaneSync } from '../../src/index.ts';

const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'default', name: 'web' },
  spec: {
    type: 'NodePort',
    clusterIP: 'fd00:96::10',
    ipFamilies: ['IPv6'],
    ports: [
      { name: 'tcp', protocol: 'TCP', port: 80, nodePort: 30080 },
      { name: 'udp', protocol: 'UDP', port: 80, nodePort: 30080 },
      { name: 'sctp', protocol: 'SCTP', port: 80, nodePort: 30080 },
    ],
  },
};

function rendered(nodeIPs: readonly string[], nodePortAddresses: readonly string[]): { virtual: string[]; sets: string[] } {
  const dataplane = createDataplaneSync({ mode: 'ipvs', engine: 'js', nodeIPs, config: { nodePortAddresses } });
  dataplane.apply([SERVICE]);
  const lines = (tool: string): string[] => dataplane.render().flatMap((part) => (part.tool === tool ? part.text.split('\n') : []));
  return {
    virtual: lines('ipvsadm').flatMap((line) => /^-A -t (.*):30080 /.exec(line)?.[1] ?? []),
    sets: lines('ipset').filter((line) => /^add .*-NODE-PORT-/.test(line)),
  };
}

describe('node ports of IPVS mode', () => {
  test('are on all addresses but loopback and link-local ones', () => {
    const { virtual, sets } = rendered(['fd00:192::2', 'fe80::2', '::1'], []);
    expect(virtual).toEqual(['[fd00:192::2]']);
    expect(sets).toEqual([
      'add KUBE-6-NODE-PORT-TCP 30080',
      'add KUBE-6-NODE-PORT-UDP 30080',
      'add KUBE-6-NODE-PORT-SCTP-HASH fd00:192::2,sctp:30080',
    ]);
  });

  test('are on a link-local address that nodePortAddresses names', () => {
    expect(rendered(['fd00:192::2', 'fe80::2'], ['fe80::/10', '::1/128']).virtual).toEqual(['[fe80::2]']);
  });

  test('are passed over where the node has no address for them', () => {
    expect(rendered(['fd00:192::2'], ['fd00:193::/64'])).toEqual({ virtual: [], sets: [] });
  });
});
