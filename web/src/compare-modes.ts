// The same questions to the same node in two modes, as `svcplane diff` asks them: what changes and why, and every answer beside the other.
import type { Dataplane, ProxyMode } from 'svcplane';
import type { Cluster } from 'svcplane/cluster';
import { formatEndpoint } from '../../src/address.ts';
import { type Answer, backendsOf } from '../../src/diff/answer.ts';
import { type Change, compareDataplanes, type Finding } from '../../src/diff/comparison.ts';
import { modeReasons } from '../../src/diff/mode-reasons.ts';
import { type Client, type ClientKind, type Destination, viewpointOf } from '../../src/diff/questions.ts';

/** In the order of their columns. */
export const CLIENTS: readonly ClientKind[] = ['pod here', 'pod elsewhere', 'this node', 'another node', 'outside'];

export interface Comparison {
  readonly rows: readonly ComparedRow[];
  /** What breaks first. */
  readonly findings: readonly Finding[];
}

/** One address of a ServicePort. */
export interface ComparedRow {
  readonly servicePort: string;
  readonly destination: Destination;
  /** In the order of CLIENTS; undefined: such a client cannot send there. */
  readonly cells: readonly (ComparedCell | undefined)[];
}

/** A question that the playground can ask. */
export interface Ends {
  readonly from: string;
  readonly to: string;
}

export interface ComparedCell extends Ends {
  /** What each mode does, in one line. */
  readonly answers: readonly [string, string];
  readonly isSame: boolean;
}

/** `dataplanes`: of that node, in those modes. */
export function compareModes(
  cluster: Cluster,
  node: string,
  modes: readonly [ProxyMode, ProxyMode],
  [before, after]: readonly [Dataplane, Dataplane],
): Comparison {
  const viewpoint = viewpointOf(cluster, node);
  const rows = new Map<string, { servicePort: string; destination: Destination; cells: (ComparedCell | undefined)[] }>();
  const { findings } = compareDataplanes([{ viewpoint, before, after }], {
    reasonFor: modeReasons(...modes),
    serviceCIDRs: cluster.serviceCIDRs,
    onAnswered: ({ servicePort, destination, client, before: one, after: other, effect }) => {
      const key = `${servicePort} ${destination.address} ${destination.port}`;
      const row = rows.get(key) ?? { servicePort, destination, cells: CLIENTS.map(() => undefined) };
      rows.set(key, row);
      const answers = [shortAnswer(one), shortAnswer(other)] as const;
      row.cells[CLIENTS.indexOf(client.kind)] = { ...endsOf(client, destination), answers, isSame: effect === undefined };
    },
  });
  return { rows: [...rows.values()], findings };
}

/** The first packet that shows a finding. */
export function witnessOf({ services, forAll }: Finding): Ends | undefined {
  const change: Change | undefined = services[0]?.changes[0] ?? forAll[0];
  const [kind] = change?.clients ?? [];
  return change === undefined || kind === undefined ? undefined : endsOf({ kind, address: change.witness.source }, change.destination);
}

/** In the words that a person would type, where there are some. */
function endsOf({ kind, address }: Client, destination: Destination): Ends {
  const words: Partial<Record<ClientKind, string>> = { 'pod here': 'default/client', 'this node': 'node', outside: 'external' };
  const from = destination.nodeAddress === 'loopback' ? address : (words[kind] ?? address);
  return { from, to: formatEndpoint(destination.address, destination.port) };
}

function shortAnswer(answer: Answer): string {
  const actions = [...new Set(answer.map(({ action }) => action))];
  if (actions.length > 1 || actions[0] !== 'DNAT') return actions.join(' or ');
  const masqueraded = answer.filter(({ masquerade }) => masquerade).length;
  const how = masqueraded === 0 ? '' : masqueraded === answer.length ? ', masqueraded' : ', partly masqueraded';
  const count = backendsOf(answer).length;
  return `${count} backend${count === 1 ? '' : 's'}${how}`;
}
