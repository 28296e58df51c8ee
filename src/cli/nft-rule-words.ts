// Plain words for the rules of nftables mode: what a rule of the table kube-proxy means to someone who does not read nft.
import {
  CLUSTER_IPS_CHECK,
  FIREWALL_CHECK,
  MARK_FOR_MASQUERADE,
  MASQUERADING,
  NODEPORT_ENDPOINTS_CHECK,
  REJECT_CHAIN,
  SERVICE_ENDPOINTS_CHECK,
  SERVICE_NODEPORTS,
  SERVICES,
} from '../compile/nft-names.ts';
import type { Step } from '../dataplane-types.ts';

type RuleStep = Extract<Step, { kind: 'rule' }>;

/** One sentence about one rule that matched. `chance`: its probability in words, empty without one. */
export function nftRuleWords(step: RuleStep, chance: string): string {
  const { text, servicePort: service = 'the Service' } = step;
  const target = /(?:^| )(?:jump|goto) (\S+)/.exec(text)?.[1] ?? '';
  switch (kindOfChain(step.chain)) {
    case SERVICES:
      return text.includes(`@${SERVICE_NODEPORTS}`)
        ? "the address is this node's own: the port is looked up among the node ports"
        : 'address and port are looked up among those of all Services';
    case FIREWALL_CHECK:
      return 'address and port are looked up among load balancer IPs with source ranges';
    case SERVICE_ENDPOINTS_CHECK:
    case NODEPORT_ENDPOINTS_CHECK:
      return 'address and port are looked up among Services that have no endpoint for this client';
    case 'firewall':
      return `the source is in none of the loadBalancerSourceRanges of ${service}: dropped`;
    case 'external':
      return externalWords(target, text);
    case 'service':
    case 'local':
      if (target === MARK_FOR_MASQUERADE) return 'the client is no Pod of this cluster: marked for masquerade';
      if (text.includes('@affinity-')) return `session affinity: this client was sent to ${endpointOfChain(target)} before`;
      return `chance picks one of the endpoints${chance}`;
    case 'endpoint':
      return endpointWords(target, text);
    case MARK_FOR_MASQUERADE:
      return 'sets the mark that asks for masquerade';
    case MASQUERADING:
      return masqueradingWords(text);
    case REJECT_CHAIN:
      return 'no endpoints: refused with an ICMP error';
    case CLUSTER_IPS_CHECK:
      return text.includes('reject')
        ? 'a cluster IP, but none of its ports: refused with an ICMP error'
        : 'in the range of cluster IPs, but no Service has it: dropped';
    default:
      return baseChainWords(target);
  }
}

/** `service` for all service-… chains with a hash; fixed chains are their own kind. */
function kindOfChain(chain: string): string {
  return /^(service|local|external|firewall|endpoint)(?=-[A-Z2-7]{8}-)/.exec(chain)?.[0] ?? chain;
}

/** `endpoint-HASH-ns/svc/tcp/port__10.244.1.5/8080` → `10.244.1.5/8080`. */
function endpointOfChain(chain: string): string {
  return chain.split('__').at(-1) ?? chain;
}

function externalWords(target: string, text: string): string {
  if (target === MARK_FOR_MASQUERADE) {
    return text.includes('fib saddr type local')
      ? 'the node itself is the client: marked for masquerade'
      : 'external traffic is marked for masquerade: the backend will see this node';
  }
  if (kindOfChain(target) === 'local') return 'external traffic policy Local: only endpoints on this node, and the source stays';
  return 'all endpoints, on whatever node';
}

function endpointWords(target: string, text: string): string {
  if (target === MARK_FOR_MASQUERADE)
    return 'the client is this backend itself: marked for masquerade, so that the answer comes back this way';
  if (text.startsWith('update @')) return 'remembers the client for session affinity';
  return `the destination becomes ${/dnat to (\S+)/.exec(text)?.[1] ?? 'the backend'}`;
}

function masqueradingWords(text: string): string {
  if (text.endsWith('return')) return 'no mark: the source stays as it is';
  return text.startsWith('masquerade') ? "the source becomes this node's address" : 'the mark has done its work and is cleared';
}

function baseChainWords(target: string): string {
  switch (target) {
    case SERVICES:
      return 'new connections are looked up among the Services';
    case MASQUERADING:
      return 'on the way out: is masquerade asked for?';
    case FIREWALL_CHECK:
      return 'new connections: does a load balancer IP take this client?';
    case SERVICE_ENDPOINTS_CHECK:
    case NODEPORT_ENDPOINTS_CHECK:
      return 'new connections: has the Service no endpoints?';
    case CLUSTER_IPS_CHECK:
      return 'new connections: is it a cluster IP that nothing answers on?';
    default:
      return `goes on in ${target}`;
  }
}
