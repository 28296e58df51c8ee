// What the compiled rules do, against the manual's sentences: random clusters, every address they answer on, every kind of client.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatEndpoint } from '../../src/address.ts';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Dataplane } from '../../src/dataplane-types.ts';
import { frontendsOf, NODE, objectsOf, PLANS, randomService } from './clusters.ts';
import { manualSays, type Outcomes, type Query, type Situation } from './manual.ts';

const situation: fc.Arbitrary<Situation> = fc.record({
  mode: fc.constantFrom('iptables' as const, 'nftables' as const, 'ipvs' as const),
  plan: fc.constantFrom(PLANS.IPv4, PLANS.IPv6),
  services: fc.array(randomService(false), { minLength: 1, maxLength: 4 }),
  knowsPods: fc.boolean(),
});

function dataplaneOf({ mode, plan, services, knowsPods }: Situation): Dataplane {
  const config = knowsPods ? { clusterCIDR: plan.podCIDR } : {};
  const dataplane = createDataplaneSync({ mode, engine: 'js', seed: 1, now: () => 0, nodeName: NODE, nodeIPs: plan.node, config });
  dataplane.apply(services.flatMap((service, index) => objectsOf(index, service, plan)));
  return dataplane;
}

/** Every client to every address, at its port and at one where nobody answers. Loopback talks to itself alone. */
function queriesOf({ plan, services }: Situation): Query[] {
  const loopback = plan.outside.at(-1) ?? '';
  const clients = [plan.pod(0), plan.pod(1), plan.pod(50), ...plan.node, ...plan.outside, plan.externalIP(100)];
  return services.flatMap((service, index) =>
    frontendsOf(index, service, plan).flatMap(({ address, port }) =>
      clients
        .filter((source) => (source === loopback) === (address === loopback) && !(address === loopback && plan.family === 'IPv6'))
        .flatMap((source) => [port, 81].map((each) => ({ protocol: service.protocol, source, destination: address, port: each }))),
    ),
  );
}

function explained(dataplane: Dataplane, { protocol, source, destination, port }: Query): Outcomes {
  const packet = { protocol: protocol as 'TCP', source, sourcePort: 40000, destination, destinationPort: port };
  const outcomes = dataplane.explain(packet).outcomes.map(({ action, backend, masquerade }) => {
    if (backend === undefined) return action;
    return `${action} ${formatEndpoint(backend.address, backend.port)}${masquerade ? ' masqueraded' : ''}`;
  });
  return [...new Set(outcomes)].sort();
}

test('rules and manual lead every first packet to the same ends', () => {
  fc.assert(
    fc.property(situation, (one) => {
      const dataplane = dataplaneOf(one);
      for (const query of queriesOf(one)) {
        expect(explained(dataplane, query), `${one.mode}: ${JSON.stringify(query)}`).toEqual([...new Set(manualSays(one, query))]);
      }
    }),
    { numRuns: 60 },
  );
});
