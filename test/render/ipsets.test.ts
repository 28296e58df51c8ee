// The sets of IPVS mode as ipset takes them.
import { expect, test } from 'vitest';
import type { Family } from '../../src/address.ts';
import { createDataplaneSync } from '../../src/dataplane.ts';

const RANGES: Readonly<Record<Family, readonly string[]>> = {
  IPv4: ['0.0.0.0/0', '203.0.113.0/24', '10.0.0.1/32'],
  IPv6: ['::/0', '2001:db8::/32'],
};
const FRONTEND: Readonly<Record<Family, { readonly cluster: string; readonly balancer: string }>> = {
  IPv4: { cluster: '172.30.0.1', balancer: '198.51.100.1' },
  IPv6: { cluster: 'fd00:96::1', balancer: '2001:db8:ffff::1' },
};

function sourceRanges(family: Family): string[] {
  const { cluster, balancer } = FRONTEND[family];
  const dataplane = createDataplaneSync({ mode: 'ipvs', engine: 'js' });
  dataplane.apply([
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'default', name: 'web' },
      spec: {
        type: 'LoadBalancer',
        clusterIP: cluster,
        ipFamilies: [family],
        loadBalancerSourceRanges: RANGES[family],
        ports: [{ port: 80 }],
      },
      status: { loadBalancer: { ingress: [{ ip: balancer }] } },
    },
  ]);
  const text = dataplane.render().find((part) => part.tool === 'ipset' && part.family === family)?.text ?? '';
  return text.split('\n').flatMap((line) => /^add KUBE-\S+-CID\S* (.*)$/.exec(line)?.[1] ?? []);
}

test('a source range that holds every address stands as its halves: ipset has no networks of length 0', () => {
  const ends = '198.51.100.1,tcp:80';
  expect(sourceRanges('IPv4')).toEqual([`${ends},0.0.0.0/1`, `${ends},128.0.0.0/1`, `${ends},203.0.113.0/24`, `${ends},10.0.0.1/32`]);
  const ends6 = '2001:db8:ffff::1,tcp:80';
  expect(sourceRanges('IPv6')).toEqual([`${ends6},::/1`, `${ends6},8000::/1`, `${ends6},2001:db8::/32`]);
});
