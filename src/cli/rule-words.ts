// Plain words for the rules that decide: what a KUBE-… rule means to someone who does not read iptables.
import {
  KUBE_EXTERNAL_SERVICES,
  KUBE_FIREWALL,
  KUBE_FORWARD,
  KUBE_MARK_MASQ,
  KUBE_NODEPORTS,
  KUBE_POSTROUTING,
  KUBE_PROXY_FIREWALL,
  KUBE_SERVICES,
} from '../compile/names.ts';
import { KUBE_PROXY_TABLE } from '../compile/nft-names.ts';
import type { Step } from '../dataplane-types.ts';
import { nftRuleWords } from './nft-rule-words.ts';

type RuleStep = Extract<Step, { kind: 'rule' }>;

/** IPVS mode asks sets instead of Services. */
const SET_WORDS: Readonly<Record<string, string>> = {
  'KUBE-CLUSTER-IP': 'address and port are a cluster IP with its port',
  'KUBE-EXTERNAL-IP': 'address and port are an external IP with its port',
  'KUBE-EXTERNAL-IP-LOCAL': 'address and port are an external IP with its port',
  'KUBE-LOAD-BALANCER': 'address and port are a load balancer IP with its port',
};

/** One sentence about one rule that matched, or that chance passed over. */
export function ruleWords(step: RuleStep): string {
  const words = step.table === KUBE_PROXY_TABLE ? nftRuleWords(step, chanceText(step)) : iptablesRuleWords(step);
  if (step.uncertain === undefined) return words;
  return step.matched ? `${words} (taken to hold, which is uncertain)` : 'asks what is not known: taken not to hold, which is uncertain';
}

function chanceText({ probability }: RuleStep): string {
  return probability === undefined ? '' : ` (${percent(probability)})`;
}

function iptablesRuleWords(step: RuleStep): string {
  const service = step.servicePort ?? 'the Service';
  const target = / -[jg] (\S+)/.exec(step.text)?.[1] ?? '';
  const [, quoted, plain = ''] = /--comment (?:"([^"]*)"|(\S+))/.exec(step.text) ?? [];
  const comment = quoted ?? plain;
  switch (familyOfChain(step.chain)) {
    case KUBE_SERVICES:
      return servicesWords(step, target, comment, service);
    case KUBE_EXTERNAL_SERVICES:
      return refusalWords(target, comment, service);
    case KUBE_NODEPORTS:
      return target === 'ACCEPT' ? `the port is the health check port of ${service}: accepted` : `the port is the node port of ${service}`;
    case 'KUBE-EXT':
      return externalWords(target, step.text);
    case 'KUBE-FW':
      return target === '' ? 'the source is in none of the loadBalancerSourceRanges' : 'the source is in loadBalancerSourceRanges';
    case 'KUBE-SVC':
    case 'KUBE-SVL':
      return balancingWords(step, target, comment);
    case 'KUBE-SEP':
      if (target === KUBE_MARK_MASQ)
        return 'the client is this backend itself: marked for masquerade, so that the answer comes back this way';
      return `the destination becomes ${/--to-destination (\S+)/.exec(step.text)?.[1] ?? 'the backend'}`;
    case KUBE_MARK_MASQ:
      return 'sets the mark that asks for masquerade';
    case KUBE_POSTROUTING:
      return postroutingWords(target);
    case KUBE_FORWARD:
      return forwardWords(target, comment);
    case KUBE_PROXY_FIREWALL:
      return `${service} takes packets of its loadBalancerSourceRanges only: dropped`;
    case KUBE_FIREWALL:
      return 'packets to loopback addresses from elsewhere are dropped';
    default:
      return baseChainWords(target, step.text);
  }
}

/** `KUBE-SVC` for all KUBE-SVC-… chains; other chains are their own family. */
function familyOfChain(chain: string): string {
  return /^KUBE-(SVC|SVL|SEP|EXT|FW)(?=-)/.exec(chain)?.[0] ?? chain;
}

function servicesWords({ table, text }: RuleStep, target: string, comment: string, service: string): string {
  const set = /--match-set (\S+)/.exec(text)?.[1];
  if (set !== undefined)
    return `${SET_WORDS[set] ?? `the packet is in the set ${set}`}${target === KUBE_MARK_MASQ ? ', and the client is no Pod of this cluster: marked for masquerade' : ''}`;
  if (table === 'filter') return refusalWords(target, comment, service);
  if (target === KUBE_NODEPORTS) return "the address is this node's own, so it may be a node port";
  if (comment.endsWith('external IP')) return `address and port are an external IP of ${service}`;
  if (comment.endsWith('loadbalancer IP')) return `address and port are the load balancer IP of ${service}`;
  return `address and port are the cluster IP of ${service}`;
}

function refusalWords(target: string, comment: string, service: string): string {
  if (comment.endsWith('has no local endpoints'))
    return `${service} has no endpoint on this node, and its traffic policy is Local: dropped`;
  return target === 'REJECT' ? `${service} has no endpoints: refused with an ICMP error` : `${service}: dropped`;
}

function externalWords(target: string, text: string): string {
  if (target === KUBE_MARK_MASQ) {
    return text.includes('--src-type LOCAL')
      ? 'the node itself is the client: marked for masquerade'
      : 'external traffic is marked for masquerade: the backend will see this node';
  }
  if (target.startsWith('KUBE-SVL-')) return 'external traffic policy Local: only endpoints on this node, and the source stays';
  return 'all endpoints, on whatever node';
}

function balancingWords(step: RuleStep, target: string, comment: string): string {
  if (target === KUBE_MARK_MASQ) return 'the client is no Pod of this cluster: marked for masquerade';
  const endpoint = comment.split(' -> ')[1] ?? 'this backend';
  if (step.text.includes('--rcheck')) return `session affinity: this client was sent to ${endpoint} before`;
  if (!step.matched) return `chance passes over ${endpoint}${step.probability === undefined ? '' : ` (${percent(step.probability)})`}`;
  if (step.text.includes('--probability'))
    return `chance picks ${endpoint}${step.probability === undefined ? '' : ` (${percent(step.probability)})`}`;
  return `the last one in the list: ${endpoint}`;
}

function postroutingWords(target: string): string {
  if (target === 'RETURN') return 'no mark: the source stays as it is';
  if (target === 'MASQUERADE') return "the source becomes this node's address";
  return 'the mark has done its work and is cleared';
}

function forwardWords(target: string, comment: string): string {
  if (target === 'DROP') return 'conntrack takes the packet for invalid: dropped';
  return comment.endsWith('conntrack rule') ? 'part of a known connection: accepted' : 'marked for masquerade: accepted';
}

function baseChainWords(target: string, text: string): string {
  switch (target) {
    case KUBE_SERVICES:
      return 'new connections are looked up among the Services';
    case KUBE_POSTROUTING:
      return 'on the way out: is masquerade asked for?';
    case 'ACCEPT':
      return 'accepted';
    case 'RETURN':
      return 'nothing to decide here: back to the calling chain';
    case 'DROP':
      return 'dropped';
    case 'REJECT':
      return 'refused';
    case 'MARK':
      return 'changes the mark';
    case 'MASQUERADE':
      return "the source becomes this node's address";
    case 'DNAT':
      return 'the destination becomes another';
    case 'SNAT':
      return 'the source becomes another';
    case 'CT':
      return 'conntrack will not see the packet, nothing will translate it';
    case 'TPROXY':
      return `goes to the proxy on port ${/--on-port (\d+)/.exec(text)?.[1] ?? '?'} of this node, as it is`;
    default:
      return target === '' ? 'counted, nothing else' : `goes on in ${target}`;
  }
}

/** `33.3%`, `100%`. */
export function percent(probability: number): string {
  const value = probability * 100;
  return `${Number.isInteger(Math.round(value * 1000) / 1000) ? Math.round(value) : value.toFixed(1)}%`;
}
