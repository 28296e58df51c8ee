// Why another proxy mode answers differently: for each topic what every mode does, and what to do about the change.
import type { Outcome, ServicePortView } from '../dataplane-types.ts';
import type { ProxyMode } from '../packet.ts';
import { type Answer, backendsOf, type Effect } from './answer.ts';
import type { ChangeFacts, Reason } from './comparison.ts';

/** One way in which the modes differ. */
interface Topic {
  readonly id: string;
  /** The first topic that applies gives the reason. */
  applies(facts: ChangeFacts, modes: Modes): boolean;
  /** Headlines by effect; the first one stands for all others. */
  readonly titles: Partial<Readonly<Record<Effect, string>>>;
  /** `in nftables mode …`: what each mode does. */
  readonly does: Readonly<Record<ProxyMode, string>>;
  advice(facts: ChangeFacts, modes: Modes): string;
  field?(facts: ChangeFacts): string;
}

interface Modes {
  readonly from: ProxyMode;
  readonly to: ProxyMode;
}

/** @returns what compareDataplanes asks for, when the two sides differ in their mode alone. */
export function modeReasons(from: ProxyMode, to: ProxyMode): (facts: ChangeFacts) => Reason {
  const modes = { from, to };
  return (facts) => {
    const topic = TOPICS.find((each) => each.applies(facts, modes));
    if (topic === undefined) return unexplained(facts, modes);
    const { id, titles, does } = topic;
    const field = topic.field?.(facts);
    return {
      id: field === undefined ? id : `${id} ${field}`,
      title: titleOf(titles[facts.effect] ?? Object.values(titles)[0] ?? id, field),
      why: `In ${from} mode ${does[from]}; in ${to} mode ${does[to]}.`,
      advice: topic.advice(facts, modes),
      ...(field === undefined ? {} : { field }),
    };
  };
}

/** `POLICY` in a headline stands for the name of the field. */
function titleOf(title: string, field = ''): string {
  return title.replace('POLICY', field.split('.').at(-1) ?? '');
}

const POLICY_FIELD = { internal: 'spec.internalTrafficPolicy', external: 'spec.externalTrafficPolicy' } as const;

const TOPICS: readonly Topic[] = [
  {
    id: 'unused-port',
    applies: ({ destination }) => destination.kind === 'UnusedPort',
    titles: { refusal: 'Wrong ports of cluster IPs are refused in another way' },
    does: {
      iptables: 'no rule knows such a port: the packet goes on, mostly to the default gateway, and the client waits for its timeout',
      ipvs: 'it is refused at once: the cluster IP is an address of the node (kube-ipvs0), and no virtual service has the port',
      nftables: 'it is refused at once (chain cluster-ips-check)',
    },
    advice: (_, { to }) =>
      to === 'iptables'
        ? 'Clients with a wrong port now wait instead of failing at once: look for them first.'
        : 'Nothing, unless a client counts on silence: it now fails at once.',
  },
  {
    id: 'unassigned-address',
    applies: ({ destination }) => destination.kind === 'UnassignedAddress',
    titles: { refusal: 'Cluster IPs that no Service has fail in another way' },
    does: {
      iptables: 'no rule knows such an address: the packet goes on as it is',
      ipvs: 'no rule knows such an address: the packet goes on as it is',
      nftables: 'the packet is dropped, where the cluster has ServiceCIDR objects (chain cluster-ips-check)',
    },
    advice: (_, { to }) =>
      to === 'nftables'
        ? 'Make sure that nothing outside the cluster uses addresses of the Service range.'
        : 'Nothing: packets to addresses of deleted Services leave the node again.',
  },
  {
    id: 'loopback-node-port',
    applies: ({ destination }) => destination.nodeAddress === 'loopback',
    titles: {
      lost: 'NodePorts stop answering on loopback addresses',
      gained: 'NodePorts begin to answer on loopback addresses',
      refusal: 'NodePorts without endpoints: refused otherwise on loopback',
    },
    does: {
      iptables: 'they work on 127.0.0.1 (iptables.localhostNodePorts, on by default; IPv4 only)',
      ipvs: 'they work on the addresses of interfaces only, never on loopback',
      nftables: 'they never work on loopback',
    },
    advice: (_, { to }) =>
      to === 'iptables'
        ? 'Nothing; iptables.localhostNodePorts: false keeps them off loopback.'
        : "Let what runs on the node use the cluster IP or the node's own address instead of localhost. Who still uses localhost shows in iptables mode: set iptables.localhostNodePorts: false first, or watch the metric kubeproxy_iptables_localhost_nodeports_accepted_packets_total.",
  },
  {
    id: 'node-port-addresses',
    applies: ({ destination, before, after }, { from, to }) =>
      destination.nodeAddress === 'further' && (from === 'nftables') !== (to === 'nftables') && isUnheard(before) !== isUnheard(after),
    titles: {
      lost: "NodePorts answer on the node's primary address only",
      gained: 'NodePorts begin to answer on every address of the node',
      refusal: 'NodePorts without endpoints: not refused on further addresses',
    },
    does: {
      iptables: 'unset nodePortAddresses mean every address of the node',
      ipvs: 'unset nodePortAddresses mean every address of the node',
      nftables: 'unset nodePortAddresses mean the primary address of each family',
    },
    advice: (_, { to }) =>
      to === 'nftables'
        ? 'Send clients to the primary address, or set nodePortAddresses: ["0.0.0.0/0", "::/0"] in the KubeProxyConfiguration before the switch.'
        : 'Set nodePortAddresses: ["primary"] to keep to the primary address.',
  },
  {
    id: 'local-without-endpoint',
    applies: (facts) => policyOf(facts) === 'Local' && !hasLocalEndpoint(facts) && facts.effect !== 'source',
    titles: {
      lost: 'POLICY Local without an endpoint here: dropped',
      gained: 'POLICY Local without an endpoint here: other nodes answer',
      refusal: 'POLICY Local without an endpoint here: refused in another way',
    },
    does: {
      iptables: 'packets are dropped when the traffic policy is Local and the node has no endpoint',
      ipvs: 'endpoints on other nodes take them, without masquerade: clients outside the cluster mostly get no answer',
      nftables: 'packets are dropped when the traffic policy is Local and the node has no endpoint',
    },
    advice: (facts, { to }) =>
      to === 'ipvs'
        ? `Do not count on ${policyField(facts)}: Local to keep traffic on the node.`
        : `Run an endpoint on every node that clients use (a DaemonSet), or set ${policyField(facts)}: Cluster. Load balancers must follow the healthCheckNodePort.`,
    field: policyField,
  },
  {
    id: 'short-circuit',
    applies: (facts) => facts.effect === 'backends' && facts.destination.kind !== 'ClusterIP' && policyOf(facts) === 'Local',
    titles: { backends: 'Pods and nodes reach other endpoints through external addresses' },
    does: {
      iptables: 'Pods and the node itself reach all endpoints through them, as through the cluster IP',
      ipvs: 'they reach the endpoints on this node only, as everybody does',
      nftables: 'Pods and the node itself reach all endpoints through them, as through the cluster IP',
    },
    advice: () => 'Nothing breaks, load moves: clients in the cluster had better use the cluster IP.',
    field: policyField,
  },
  {
    id: 'masquerade',
    applies: ({ effect }) => effect === 'source',
    titles: { source: 'Backends see another source address' },
    does: {
      iptables: 'external traffic is masqueraded under policy Cluster, and under policy Local what the node itself sends',
      ipvs: 'external traffic is masqueraded under policy Cluster, and never under policy Local',
      nftables: 'external traffic is masqueraded under policy Cluster, and under policy Local what the node itself sends',
    },
    advice: () => 'Check NetworkPolicies, allow lists and logs of the backends that go by the source address.',
    field: policyField,
  },
  {
    id: 'source-ranges',
    applies: ({ servicePort, destination }) =>
      destination.kind === 'LoadBalancerIP' && (servicePort?.after ?? servicePort?.before)?.sourceRanges !== undefined,
    titles: {
      lost: 'loadBalancerSourceRanges keep out clients that got through',
      gained: 'loadBalancerSourceRanges let through clients that were kept out',
      refusal: 'loadBalancerSourceRanges keep clients out in another way',
    },
    does: {
      iptables: 'they are enforced after DNAT, for Services with endpoints',
      ipvs: 'they are enforced on what comes in, not on what the node itself sends',
      nftables: 'they are enforced before anything else, also for Services without endpoints',
    },
    advice: () => 'Check that spec.loadBalancerSourceRanges name every client, Pods and nodes included.',
    field: () => 'spec.loadBalancerSourceRanges',
  },
  {
    id: 'no-endpoints',
    applies: ({ effect, servicePort }) => effect === 'refusal' && !(servicePort?.before?.endpoints ?? []).some(isUsed),
    titles: { refusal: 'Services without endpoints are refused in another way' },
    does: {
      iptables: 'an ICMP error refuses them, but not what the node itself sends to external addresses',
      ipvs: 'a virtual service without destinations refuses them with an ICMP error',
      nftables: 'an ICMP error refuses them in input, forward and output',
    },
    advice: () => 'Nothing, unless a client tells refusal from silence.',
  },
  {
    id: 'scheduler',
    applies: ({ before, after, effect }, { from, to }) =>
      from !== to &&
      (from === 'ipvs' || to === 'ipvs') &&
      (effect === 'shares' || (effect === 'backends' && isPartOf(before, after, from))),
    titles: { shares: 'Connections are spread over the endpoints in another way' },
    does: {
      iptables: 'each connection goes to an endpoint at random, all alike',
      ipvs: 'the scheduler chooses (ipvs.scheduler): what is shown is its next choice',
      nftables: 'each connection goes to an endpoint at random, all alike',
    },
    advice: (_, { to }) =>
      to === 'ipvs'
        ? 'Nothing, if that scheduler is wanted.'
        : 'Who needs a client to stay with a backend (sh, mh) sets spec.sessionAffinity: ClientIP; load-aware scheduling (lc, wlc, sed) has no counterpart.',
  },
];

/** No rule takes the packet: it goes on as it is. */
function isUnheard(answer: Answer): boolean {
  return answer.every(({ action }) => action === 'ACCEPT');
}

/** The side in IPVS mode sends to some of the backends of the other side. */
function isPartOf(before: Answer, after: Answer, from: ProxyMode): boolean {
  const [part, whole] = from === 'ipvs' ? [before, after] : [after, before];
  const all = backendsOf(whole);
  return backendsOf(part).every((backend) => all.includes(backend));
}

function isUsed({ inCluster, inLocal }: ServicePortView['endpoints'][number]): boolean {
  return inCluster || inLocal;
}

function viewOf({ servicePort }: ChangeFacts): ServicePortView | undefined {
  return servicePort?.after ?? servicePort?.before;
}

function policyOf(facts: ChangeFacts): 'Cluster' | 'Local' | undefined {
  const view = viewOf(facts);
  return facts.destination.kind === 'ClusterIP' ? view?.internalTrafficPolicy : view?.externalTrafficPolicy;
}

function policyField({ destination }: ChangeFacts): string {
  return destination.kind === 'ClusterIP' ? POLICY_FIELD.internal : POLICY_FIELD.external;
}

function hasLocalEndpoint(facts: ChangeFacts): boolean {
  return (viewOf(facts)?.endpoints ?? []).some(({ inLocal }) => inLocal);
}

/** The rules themselves, where no topic says more. */
function unexplained({ explanations }: ChangeFacts, { from, to }: Modes): Reason {
  return {
    id: 'other',
    title: 'Answered in another way',
    why: `In ${from} mode ${decisive(explanations.before.outcomes)}; in ${to} mode ${decisive(explanations.after.outcomes)}.`,
    advice: 'Look at both ways with svcplane trace, and tell us: this difference has no explanation yet.',
  };
}

function decisive([outcome]: readonly Outcome[]): string {
  const step = outcome?.path.findLast((each) => (each.kind === 'rule' && each.matched) || each.kind === 'ipvs');
  if (step === undefined || !('text' in step)) return 'no rule holds';
  return step.kind === 'rule' ? `rule ${step.number} of ${step.chain} decides (${step.text})` : step.text;
}
