// The same questions to the same node in two modes: every frontend of every Service, asked by every kind of client.
import { type Dataplane, type KubernetesObject, type Outcome, type Packet, SvcplaneError } from 'svcplane';
import type { Cluster } from 'svcplane/cluster';
import { formatEndpoint } from '../../src/address.ts';
import { resolveSource } from '../../src/cli/packet-ends.ts';
import { nodeAddresses } from '../../src/cluster/nodes.ts';
import { outcomeName, percentText } from './names.ts';

export const CLIENTS = [
  { from: 'default/client', title: 'a Pod here' },
  { from: 'external', title: 'outside' },
  { from: 'node', title: 'this node' },
] as const;

export interface Comparison {
  readonly servicePort: string;
  readonly frontend: string;
  readonly kind: string;
  /** In the order of CLIENTS. */
  readonly cells: readonly ComparedCell[];
}

export interface ComparedCell {
  readonly from: string;
  readonly to: string;
  /** What each mode does, in one line. */
  readonly answers: readonly [string, string];
  readonly isSame: boolean;
}

export function compareModes(cluster: Cluster, node: KubernetesObject, dataplanes: readonly [Dataplane, Dataplane]): Comparison[] {
  const [first] = dataplanes;
  return first.servicePorts().flatMap((view) =>
    view.frontends.flatMap((frontend) => {
      const isIPv6 = view.family === 'IPv6';
      const addresses =
        frontend.address === undefined ? nodeAddresses(node).filter((each) => each.includes(':') === isIPv6) : [frontend.address];
      return addresses.map((address) => {
        const to = formatEndpoint(address, frontend.port);
        const cells = CLIENTS.map(({ from }) => {
          const source = resolveSource(from, address, { cluster, namespace: 'default', node: node.metadata.name });
          const packet: Packet = {
            protocol: view.protocol,
            source: source.address,
            sourcePort: source.port,
            destination: address,
            destinationPort: frontend.port,
          };
          return { from, to, ...compareOne(packet, dataplanes) };
        });
        return { servicePort: view.servicePort, frontend: to, kind: frontend.kind, cells };
      });
    }),
  );
}

function compareOne(packet: Packet, [one, other]: readonly [Dataplane, Dataplane]): Pick<ComparedCell, 'answers' | 'isSame'> {
  const answers = [answerOf(one, packet), answerOf(other, packet)] as const;
  return { answers: [answers[0].short, answers[1].short], isSame: answers[0].whole === answers[1].whole };
}

function answerOf(dataplane: Dataplane, packet: Packet): { readonly short: string; readonly whole: string } {
  try {
    const { outcomes } = dataplane.explain(packet);
    const whole = JSON.stringify(outcomes.map(comparable).sort());
    return { short: shortAnswer(outcomes), whole };
  } catch (error) {
    if (!(error instanceof SvcplaneError)) throw error;
    return { short: error.message, whole: error.message };
  }
}

function comparable(outcome: Outcome): string {
  return `${outcomeName(outcome)} ${outcome.masquerade ? 'masqueraded' : ''} ${percentText(outcome.probability)}`;
}

function shortAnswer(outcomes: readonly Outcome[]): string {
  const actions = [...new Set(outcomes.map(({ action }) => action))];
  if (actions.length > 1 || actions[0] !== 'DNAT') return actions.join(' or ');
  const masqueraded = outcomes.filter(({ masquerade }) => masquerade).length;
  const how = masqueraded === 0 ? '' : masqueraded === outcomes.length ? ', masqueraded' : ', partly masqueraded';
  return `${outcomes.length} backend${outcomes.length === 1 ? '' : 's'}${how}`;
}
