// Two engines, one truth, on choices among as many Endpoints as a Service may come to have: more than any before, and fewer again.
import { expect, test } from 'vitest';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Packet } from '../../src/packet.ts';
import { objectsOf, PLAIN_SERVICE, PLANS, type RandomService } from './clusters.ts';

const COUNTS = [3, 63, 64, 1, 65, 200, 127, 128, 2];
const CONNECTIONS = 100;

function serviceWith(endpoints: number): RandomService {
  return { ...PLAIN_SERVICE, endpoints: Array.from({ length: endpoints }, (_, pod) => ({ pod, isLocal: pod === 0, condition: 'ready' })) };
}

test.each([
  ['iptables', 'IPv4'],
  ['iptables', 'IPv6'],
  ['nftables', 'IPv4'],
  ['nftables', 'IPv6'],
] as const)('%s mode chooses among many endpoints of %s as both engines say', (mode, family) => {
  const plan = PLANS[family];
  const [wasm, js] = (['wasm', 'js'] as const).map((engine) => createDataplaneSync({ engine, mode, seed: 7, nodeIPs: plan.node }));
  let port = 1024;

  for (const count of COUNTS) {
    const objects = [0, 1].flatMap((index) => objectsOf(index, serviceWith(index === 0 ? count : 5), plan));
    for (const dataplane of [wasm, js]) dataplane?.apply(objects);
    const packets = Array.from({ length: CONNECTIONS }, (_, index): Packet => {
      const destination = plan.clusterIP(index % 2);
      return { protocol: 'TCP', source: plan.outside[0] ?? '', sourcePort: port++, destination, destinationPort: 80, tcpFlags: 2 };
    });
    const [answers, expected] = [wasm, js].map((dataplane) => packets.map((packet) => dataplane?.process(packet)));
    expect(answers).toEqual(expected);
    expect(answers?.map((verdict) => verdict?.action)).toEqual(packets.map(() => 'DNAT'));
  }
});
