// The rules of iptables mode that do not depend on Services: the jumps from the built-in chains and the fixed chains.
import { type Chain, type ChainType, HOOK_PRIORITY, type Hook, type Match, type Rule } from '../program/ruleset.ts';
import {
  KUBE_EXTERNAL_SERVICES,
  KUBE_FIREWALL,
  KUBE_FORWARD,
  KUBE_MARK_MASQ,
  KUBE_NODEPORTS,
  KUBE_POSTROUTING,
  KUBE_PROXY_FIREWALL,
  KUBE_SERVICES,
} from './names.ts';
import type { CompileOptions } from './options.ts';
import { ACCEPT, comment, DROP, destination, inState, jump, kernelRule, RETURN } from './rules.ts';

const IS_NEW: Match = inState('NEW');

const SERVICES_COMMENT = comment('kubernetes service portals');
const EXTERNAL_COMMENT = comment('kubernetes externally-visible service portals');
const FIREWALL_COMMENT = comment('kubernetes load balancer firewall');

/** A built-in chain of iptables, with what its table and hook imply. */
export function builtinChain(hook: Hook, table: 'filter' | 'nat', rules: readonly Rule[]): Chain {
  const isSource = hook === 'POSTROUTING' || hook === 'INPUT';
  const priority = table === 'filter' ? HOOK_PRIORITY.filter : isSource ? HOOK_PRIORITY.natSource : HOOK_PRIORITY.natDestination;
  const type: ChainType = table;
  return { name: hook, rules, base: { hook, type, priority, policy: 'accept' } };
}

/** The built-in chains of filter on a clean node. kube-proxy prepends its jumps one by one, so the last one ensured stands first. */
export function filterBuiltins(hasFirewallChain: boolean): Chain[] {
  const martians = hasFirewallChain ? [kernelRule([], jump(KUBE_FIREWALL))] : [];
  const firewall = kernelRule([IS_NEW, FIREWALL_COMMENT], jump(KUBE_PROXY_FIREWALL));
  const external = kernelRule([IS_NEW, EXTERNAL_COMMENT], jump(KUBE_EXTERNAL_SERVICES));
  const services = kernelRule([IS_NEW, SERVICES_COMMENT], jump(KUBE_SERVICES));
  const healthChecks = kernelRule([comment('kubernetes health check service ports')], jump(KUBE_NODEPORTS));
  const forwarding = kernelRule([comment('kubernetes forwarding rules')], jump(KUBE_FORWARD));
  return [
    builtinChain('INPUT', 'filter', [...martians, firewall, healthChecks, external]),
    builtinChain('FORWARD', 'filter', [firewall, forwarding, services, external]),
    builtinChain('OUTPUT', 'filter', [...martians, firewall, services]),
  ];
}

export function natBuiltins(): Chain[] {
  const services = kernelRule([SERVICES_COMMENT], jump(KUBE_SERVICES));
  return [
    builtinChain('PREROUTING', 'nat', [services]),
    builtinChain('INPUT', 'nat', []),
    builtinChain('OUTPUT', 'nat', [services]),
    builtinChain('POSTROUTING', 'nat', [kernelRule([comment('kubernetes postrouting rules')], jump(KUBE_POSTROUTING))]),
  ];
}

export function forwardChain(options: CompileOptions): Chain {
  const mark = options.masqueradeMark;
  const counted: Match[] = options.nfacct ? [{ kind: 'nfacct', name: 'ct_state_invalid_dropped_pkts' }] : [];
  const invalid = options.tcpBeLiberal ? [] : [kernelRule([inState('INVALID'), ...counted], DROP)];
  return {
    name: KUBE_FORWARD,
    rules: [
      ...invalid,
      kernelRule([comment('kubernetes forwarding rules'), { kind: 'mark', value: mark, mask: mark }], ACCEPT),
      kernelRule([comment('kubernetes forwarding conntrack rule'), inState('RELATED', 'ESTABLISHED')], ACCEPT),
    ],
  };
}

/** Guards loopback node ports: route_localnet would let neighbours reach 127.0.0.0/8. */
export function firewallChain(): Chain {
  const matches: Match[] = [
    comment('block incoming localnet connections'),
    destination('127.0.0.0/8'),
    { kind: 'source', prefix: '127.0.0.0/8', negated: true },
    { kind: 'conntrackState', states: ['RELATED', 'ESTABLISHED', 'DNAT'], negated: true },
  ];
  return { name: KUBE_FIREWALL, rules: [kernelRule(matches, DROP)] };
}

/** Unmarked packets leave at once; the mark is cleared, so that a packet met again is not masqueraded twice. */
export function postroutingRules(options: CompileOptions): Rule[] {
  const mark = options.masqueradeMark;
  return [
    kernelRule([{ kind: 'mark', value: mark, mask: mark, negated: true }], RETURN),
    kernelRule([], { kind: 'mark', value: mark, mask: 0 }),
    kernelRule([comment('kubernetes service traffic requiring SNAT')], { kind: 'masquerade', randomFully: options.randomFully }),
  ];
}

export function markForMasqueradeChain(options: CompileOptions): Chain {
  const mark = options.masqueradeMark;
  return { name: KUBE_MARK_MASQ, rules: [kernelRule([], { kind: 'mark', value: mark, mask: mark })] };
}

export function postroutingChain(options: CompileOptions): Chain {
  return { name: KUBE_POSTROUTING, rules: postroutingRules(options) };
}
