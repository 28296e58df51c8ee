// With many Services explain passes over the rules of all others unseen; trace asks every rule. They must not differ.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Family } from '../../src/address.ts';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Outcome } from '../../src/dataplane-types.ts';
import type { ProxyMode } from '../../src/packet.ts';
import { frontendsOf, NODE, objectsOf, PLANS, randomService } from '../differential/clusters.ts';

const SERVICE_COUNT = 24;

describe.each<[ProxyMode, Family]>([
  ['iptables', 'IPv4'],
  ['iptables', 'IPv6'],
  ['nftables', 'IPv4'],
  ['nftables', 'IPv6'],
  ['ipvs', 'IPv4'],
  ['ipvs', 'IPv6'],
])('a packet to one of many Services in %s mode on %s', (mode, family) => {
  it('has the outcomes that asking every rule leads to', () => {
    const plan = PLANS[family];
    const clients = [plan.pod(0), plan.pod(40), ...plan.node, ...plan.outside];
    const services = fc.array(randomService(true), { minLength: SERVICE_COUNT, maxLength: SERVICE_COUNT });
    fc.assert(
      fc.property(services, fc.nat(clients.length - 1), fc.nat(), (all, client, seed) => {
        const dataplane = createDataplaneSync({
          mode,
          engine: 'js',
          seed: seed >>> 0,
          nodeName: NODE,
          nodeIPs: plan.node,
          config: { clusterCIDR: plan.podCIDR },
        });
        dataplane.apply(all.flatMap((service, index) => objectsOf(index, service, plan)));
        for (const [index, service] of all.entries()) {
          for (const { address, port } of frontendsOf(index, service, plan)) {
            const packet = {
              protocol: service.protocol,
              source: clients[client] ?? '',
              sourcePort: 40000,
              destination: address,
              destinationPort: port,
            };
            const { verdict } = dataplane.trace(packet);
            const { outcomes } = dataplane.explain(packet);
            expect(outcomes.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 9);
            expect(outcomes.map(said)).toContainEqual(said(verdict));
          }
        }
      }),
      { numRuns: 6 },
    );
  });
});

function said({ action, backend, masquerade, servicePort }: Pick<Outcome, 'action' | 'backend' | 'masquerade' | 'servicePort'>): unknown {
  return { action, backend, masquerade, servicePort };
}
