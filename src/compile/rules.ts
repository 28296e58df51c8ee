// Small words that rules are made of: each gives one match, target or pair of matches in the form kube-proxy writes it.

import type { Family } from '../address.ts';
import { oneInThreshold } from '../program/chance.ts';
import { kernelOrder } from '../program/match-order.ts';
import type { ConntrackState, IpProtocol, Match, Rule, Target } from '../program/ruleset.ts';
import type { ServicePort } from '../state/expected-state.ts';
import type { LocalDetector } from './options.ts';

export function rule(matches: readonly Match[], target: Target, servicePort?: ServicePort): Rule {
  return servicePort === undefined ? { matches, target } : { matches, target, servicePort: servicePort.name };
}

/** A rule as iptables holds it: its matches in the order in which the kernel asks them. */
export function kernelRule(matches: readonly Match[], target: Target, servicePort?: ServicePort): Rule {
  return rule(kernelOrder(matches), target, servicePort);
}

export const ACCEPT: Target = { kind: 'accept' };
export const DROP: Target = { kind: 'drop' };
export const RETURN: Target = { kind: 'return' };
export const NO_TARGET: Target = { kind: 'none' };

export function jump(chain: string): Target {
  return { kind: 'jump', chain };
}

/** REJECT as it answers without a type: port unreachable of the family. */
export function reject(family: Family): Target {
  return { kind: 'reject', with: family === 'IPv4' ? 'icmp-port-unreachable' : 'icmp6-port-unreachable' };
}

export function comment(text: string): Match {
  return { kind: 'comment', text };
}

export function inState(...states: ConntrackState[]): Match {
  return { kind: 'conntrackState', states };
}

/** A plain address is matched as its full-length prefix. */
export function source(prefix: string): Match {
  return { kind: 'source', prefix: wholePrefix(prefix) };
}

export function destination(prefix: string): Match {
  return { kind: 'destination', prefix: wholePrefix(prefix) };
}

export function wholePrefix(text: string): string {
  if (text.includes('/')) return text;
  return `${text}/${text.includes(':') ? 128 : 32}`;
}

export function protocolOf(servicePort: Pick<ServicePort, 'protocol'>): IpProtocol {
  return protocolNames[servicePort.protocol];
}

const protocolNames = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' } as const satisfies Record<ServicePort['protocol'], IpProtocol>;

// Of a large cluster's matches most are the same few: rules share them.
const PROTOCOL_MATCHES: Readonly<Record<IpProtocol, readonly [Match]>> = {
  tcp: [{ kind: 'protocol', protocol: 'tcp' }],
  udp: [{ kind: 'protocol', protocol: 'udp' }],
  sctp: [{ kind: 'protocol', protocol: 'sctp' }],
  icmp: [{ kind: 'protocol', protocol: 'icmp' }],
  icmpv6: [{ kind: 'protocol', protocol: 'icmpv6' }],
};
const oneInMatches = new Map<number, readonly [Extract<Match, { kind: 'statistic' }>]>();

/** `-p P`. */
export function toProtocol(protocol: IpProtocol): readonly Match[] {
  return PROTOCOL_MATCHES[protocol];
}

/** `-p P --dport PORT`. */
export function toPort(protocol: IpProtocol, port: number): Match[] {
  return [...PROTOCOL_MATCHES[protocol], { kind: 'destinationPort', from: port, to: port }];
}

/** The match for traffic of local pods; `negated` for all other traffic. */
export function fromLocalPod(detector: LocalDetector, negated?: true): Match {
  const negation = negated === true ? { negated } : {};
  switch (detector.kind) {
    case 'prefix':
      return { kind: 'source', prefix: detector.prefix, ...negation };
    case 'bridge':
      return { kind: 'inInterface', name: detector.name, ...negation };
    case 'interfacePrefix':
      return { kind: 'inInterface', name: `${detector.prefix}+`, ...negation };
  }
}

/** `-m statistic --mode random --probability 1/count`. */
export function oneIn(count: number): readonly [Extract<Match, { kind: 'statistic' }>] {
  const known = oneInMatches.get(count);
  if (known !== undefined) return known;
  const matches = [{ kind: 'statistic', threshold: oneInThreshold(count) }] as const;
  oneInMatches.set(count, matches);
  return matches;
}

/** Two lists one after the other; one that is alone stays itself. */
export function bothOf(first: readonly Match[], second: readonly Match[]): readonly Match[] {
  if (first.length === 0) return second;
  return second.length === 0 ? first : [...first, ...second];
}

export const NO_MATCHES: readonly Match[] = [];
export const NO_RULES: readonly Rule[] = [];
