// Session affinity with real connections: a client that was sent to an endpoint goes there again, whichever address of the ServicePort it
// uses, as far as that address leads to the endpoint.
import { formatEndpoint } from '../../src/address.ts';
import type { Dataplane } from '../../src/dataplane-types.ts';
import { outcomeSeen } from './judgement.ts';
import { type Probe, packetOf } from './probe.ts';
import type { Testbed } from './testbed.ts';
import type { Attempt, Listener, OpenProtocol } from './wire.ts';

/** Times that every client goes through all addresses. */
const ROUNDS = 2;
const PATIENCE_MS = 8000;

export interface AffinityReport {
  readonly connections: number;
  /** Connections of a client that was bound already. */
  readonly bound: number;
  readonly disagreements: readonly string[];
}

/**
 * One connection at a time for each ServicePort and client: bindings are made by the packet before. A binding is of the client and the
 * endpoint; of several, the first in the order of the chain counts.
 */
export async function affinityReport(
  testbed: Testbed,
  dataplane: Dataplane,
  probes: readonly Probe[],
  endpoints: readonly Listener[],
): Promise<AffinityReport> {
  const clients = new Map<string, Probe[]>();
  for (const probe of probes) {
    const key = `${probe.title} ${probe.source}`;
    clients.set(key, [...(clients.get(key) ?? []), probe]);
  }
  const listeners = [
    ...endpoints,
    ...probes.map(({ protocol, destination, port }) => ({ protocol: protocol as OpenProtocol, address: destination, port })),
  ];
  await testbed.listen([...new Map(listeners.map((listener) => [JSON.stringify(listener), listener])).values()]);
  const taken = new Set(listeners.map(({ port }) => port));
  const bindings = new Map<string, Set<string>>();
  const disagreements: string[] = [];
  let connections = 0;
  let boundCount = 0;
  const turns = ROUNDS * Math.max(0, ...[...clients.values()].map((list) => list.length));
  for (let turn = 0; turn < turns; turn++) {
    const asked = [...clients].flatMap(([key, list]) => {
      const probe = turn < ROUNDS * list.length ? list[turn % list.length] : undefined;
      return probe === undefined ? [] : [{ key, probe, attempt: attemptOf(probe, testbed.ports.next(taken)) }];
    });
    const observations = await testbed.connect(asked.map(({ attempt }) => attempt));
    for (const [index, { key, probe, attempt }] of asked.entries()) {
      connections++;
      const { outcomes } = dataplane.explain(packetOf(probe, testbed));
      const observation = observations[index] ?? { kind: 'failed', code: 'no observation' };
      const seen = outcomeSeen(outcomes, attempt, observation, testbed.network);
      const known = bindings.get(key) ?? new Set<string>();
      bindings.set(key, known);
      const possible = outcomes.flatMap(({ backend }) => (backend === undefined ? [] : [formatEndpoint(backend.address, backend.port)]));
      const expected = possible.sort().find((backend) => known.has(backend));
      if (expected !== undefined) boundCount++;
      const backend = seen?.backend === undefined ? undefined : formatEndpoint(seen.backend.address, seen.backend.port);
      if (backend !== undefined) known.add(backend);
      if (seen !== undefined && (expected === undefined || expected === backend)) continue;
      const foretold = expected === undefined ? possible.join(' or ') : `${expected}, where the client went before`;
      disagreements.push(
        `${testbed.variant.name}: ${key} to ${formatEndpoint(probe.destination, probe.port)}: ${JSON.stringify(observation)}, not ${foretold}`,
      );
    }
  }
  return { connections, bound: boundCount, disagreements };
}

function attemptOf({ protocol, source, destination, port }: Probe, sourcePort: number): Attempt {
  return { protocol: protocol as OpenProtocol, source, sourcePort, destination, port, timeoutMs: PATIENCE_MS };
}
