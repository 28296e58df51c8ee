// Services that clash at an address and port, and one that names an address twice: what is rendered is what the node's tools take.
import { describe, expect, test } from 'vitest';
import { createDataplaneSync } from '../../src/dataplane.ts';
import { createIpvsSync } from '../../src/ipvs.ts';
import type { ProxyMode } from '../../src/packet.ts';

const SHARED = '198.51.100.1';

function clashing(mode: ProxyMode): string {
  const dataplane = createDataplaneSync({ mode, engine: 'js', nodeIPs: ['192.168.0.2'] });
  for (const [index, name] of ['first', 'second'].entries()) {
    dataplane.apply([
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { namespace: 'default', name },
        spec: { clusterIP: `172.30.0.${index + 1}`, externalIPs: [SHARED, SHARED], ports: [{ port: 80 }] },
      },
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { namespace: 'default', name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
        addressType: 'IPv4',
        endpoints: [{ addresses: [`10.0.0.${index + 1}`] }],
        ports: [{ name: '', port: 8080 }],
      },
    ]);
  }
  const packet = { protocol: 'TCP', source: '10.1.0.1', sourcePort: 1000, destination: SHARED, destinationPort: 80 } as const;
  expect(dataplane.process(packet)).toMatchObject({ servicePort: 'default/first', backend: { address: '10.0.0.1' } });
  const tool = mode === 'ipvs' ? 'ipvsadm' : 'nft';
  return dataplane.render().find((part) => part.tool === tool && part.family === 'IPv4')?.text ?? '';
}

describe('of clashing Services the first one is rendered', () => {
  test('to ipvsadm', () => {
    const text = clashing('ipvs');
    expect(text.split('\n').filter((line) => line.includes(SHARED))).toEqual([
      `-A -t ${SHARED}:80 -s rr`,
      `-a -t ${SHARED}:80 -r 10.0.0.1:8080 -m -w 1`,
    ]);
    const ipvs = createIpvsSync();
    ipvs.restore(text);
    expect(ipvs.save()).toBe(text);
  });

  test('to nft', () => {
    const lines = clashing('nftables').split('\n');
    expect(lines.filter((line) => line.includes(`${SHARED} . `))).toEqual([
      expect.stringMatching(/^\t+198\.51\.100\.1 \. tcp \. 80 : goto external-\w{8}-default\/first\/tcp\/,$/),
    ]);
  });
});
