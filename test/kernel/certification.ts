// Opens the connections of a list of probes through loaded rules and holds each against explain. A probe is a kind of packet; each gets
// as many connections as it takes to see every outcome.
import type { Dataplane, Outcome } from '../../src/dataplane-types.ts';
import { outcomeSeen } from './judgement.ts';
import { type Probe, packetOf } from './probe.ts';
import { disagreementStory, unseenStory } from './story.ts';
import type { Testbed } from './testbed.ts';
import type { Attempt, Listener, Observation, OpenProtocol } from './wire.ts';

export interface Certificate {
  readonly connections: number;
  /** Connections seen and foretold, by action. */
  readonly byAction: Readonly<Record<Outcome['action'], number>>;
  /** Probes whose protocol no process here can speak. */
  readonly unspoken: number;
  readonly stories: readonly string[];
}

/** Chance of missing an outcome of probability p in SURENESS / p connections: below e^-28. */
const SURENESS = 28;
/** Patience with a packet that should be dropped, and with any other on a machine that is busy. */
const SILENCE_MS = 250;
const PATIENCE_MS = 8000;

interface Foretold {
  readonly probe: Probe;
  readonly outcomes: readonly Outcome[];
  /** Probes with the same outcomes share their connections: seeing each outcome in one of them is enough. */
  readonly kind: string;
  connections: number;
}

interface Opened {
  readonly foretold: Foretold;
  readonly attempt: Attempt;
}

/** `endpoints`: where backends might be, used or not. Every destination is listened on as well. */
export async function certify(
  testbed: Testbed,
  dataplane: Dataplane,
  probes: readonly Probe[],
  endpoints: readonly Listener[],
  title: string,
): Promise<Certificate> {
  const spoken = probes.filter(isSpoken);
  const foretold = share(spoken.map((probe) => foretell(probe, dataplane, testbed)));
  const listeners = [...endpoints, ...spoken.map(({ protocol, destination, port }) => ({ protocol, address: destination, port }))];
  await testbed.listen([...new Map(listeners.map((listener) => [JSON.stringify(listener), listener])).values()]);
  const attempts = attemptsFor(foretold, testbed, new Set(listeners.map(({ port }) => port)));
  const observations = await testbed.connect(attempts.map(({ attempt }) => attempt));
  return judge({ testbed, dataplane, title, foretold, attempts, observations, unspoken: probes.length - spoken.length });
}

function isSpoken(probe: Probe): probe is Probe & { readonly protocol: OpenProtocol } {
  return probe.protocol !== 'SCTP';
}

function foretell(probe: Probe, dataplane: Dataplane, testbed: Testbed): Foretold {
  const { outcomes } = dataplane.explain(packetOf(probe, testbed));
  const kind = JSON.stringify(
    outcomes.map(({ action, backend, servicePort, masquerade, probability }) => [action, backend, servicePort, masquerade, probability]),
  );
  return { probe, outcomes, kind, connections: 1 };
}

/** Enough connections for each kind, spread over its probes. */
function share(foretold: readonly Foretold[]): readonly Foretold[] {
  const kinds = new Map<string, Foretold[]>();
  for (const one of foretold) {
    const same = kinds.get(one.kind);
    if (same === undefined) kinds.set(one.kind, [one]);
    else same.push(one);
  }
  for (const same of kinds.values()) {
    const rarest = Math.min(...(same[0]?.outcomes ?? []).map(({ probability }) => probability));
    const free = same.filter(({ probe }) => probe.sourcePort === undefined);
    if (rarest < 1) for (const one of free) one.connections = Math.ceil(SURENESS / rarest / free.length);
  }
  return foretold;
}

function attemptsFor(foretold: readonly Foretold[], { ports }: Testbed, listened: ReadonlySet<number>): Opened[] {
  return foretold.flatMap((one) =>
    Array.from({ length: one.connections }, () => {
      const { protocol, source, sourcePort, destination, port } = one.probe;
      const mayBeSilent = one.outcomes.some(({ action }) => action === 'DROP');
      const attempt: Attempt = {
        protocol: protocol as OpenProtocol,
        source,
        sourcePort: sourcePort ?? ports.next(listened),
        destination,
        port,
        timeoutMs: mayBeSilent ? SILENCE_MS : PATIENCE_MS,
      };
      return { foretold: one, attempt };
    }),
  );
}

interface Evidence {
  readonly testbed: Testbed;
  readonly dataplane: Dataplane;
  readonly title: string;
  readonly foretold: readonly Foretold[];
  readonly attempts: readonly Opened[];
  readonly observations: readonly Observation[];
  readonly unspoken: number;
}

function judge(evidence: Evidence): Certificate {
  const { testbed, dataplane, title, foretold, attempts, observations, unspoken } = evidence;
  const stories: string[] = [];
  const byAction = { ACCEPT: 0, DNAT: 0, DROP: 0, REJECT: 0 };
  const seen = new Map<string, Set<Outcome['backend'] | string>>();
  for (const [index, { foretold: one, attempt }] of attempts.entries()) {
    const observation = observations[index] ?? { kind: 'failed', code: 'no observation' };
    const outcome = outcomeSeen(one.outcomes, attempt, observation, testbed.network);
    if (outcome === undefined) {
      stories.push(disagreementStory({ testbed, dataplane, title, probe: one.probe, outcomes: one.outcomes, attempt, observation }));
      continue;
    }
    byAction[outcome.action]++;
    const outcomesSeen = seen.get(one.kind) ?? new Set();
    seen.set(one.kind, outcomesSeen.add(outcomeKey(outcome)));
  }
  const kinds = new Map(foretold.filter(({ probe }) => probe.sourcePort === undefined).map((one) => [one.kind, one]));
  for (const { kind, outcomes, probe } of kinds.values()) {
    const unseen = outcomes.filter((outcome) => outcome.probability > 0 && !seen.get(kind)?.has(outcomeKey(outcome)));
    const count = attempts.filter(({ foretold: one }) => one.kind === kind).length;
    if (unseen.length > 0) stories.push(unseenStory({ testbed, dataplane, title, probe, outcomes: unseen, count }));
  }
  return { connections: attempts.length, byAction, unspoken, stories };
}

function outcomeKey({ action, backend, masquerade }: Outcome): string {
  return JSON.stringify([action, backend, masquerade]);
}
