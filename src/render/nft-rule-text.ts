// The words of one rule as `nft list` prints them, which `nft -f` reads as well. Renderers, explanations and traces use it.
// It never looks beyond the rule, but for the key of a map that the rule asks.
import { type Family, formatEndpoint } from '../address.ts';
import type { Match, Rule, Target } from '../program/ruleset.ts';
import type { KeyField } from '../program/sets.ts';

/** What the rule's words depend on besides the rule. */
export interface NftWords {
  readonly family: Family;
  /** The key of a verdict map. */
  mapKey(name: string): readonly KeyField[];
}

type Side = 'source' | 'destination';

const HEX_DIGITS = 8;

/** `ip daddr 10.96.0.1 ip saddr != 10.244.0.0/16 jump mark-for-masquerade`; a comment comes last. */
export function nftRuleText(rule: Rule, words: NftWords): string {
  const comments = rule.matches.filter(({ kind }) => kind === 'comment');
  const conditions = rule.matches.filter((match) => !comments.includes(match));
  const matches = [...conditions, ...comments];
  const texts = matches.map((match) => nftMatchText(match, words.family));
  return [...texts.slice(0, conditions.length), nftTargetText(rule.target, words), ...texts.slice(conditions.length)]
    .filter((text) => text !== '')
    .join(' ');
}

export function nftMatchText(match: Match, family: Family): string {
  const not = 'negated' in match ? '!= ' : '';
  switch (match.kind) {
    case 'source':
    case 'destination':
      return `${addressWord(match.kind, family)} ${not}${nftPrefix(match.prefix)}`;
    case 'sourceIn':
      return `${addressWord('source', family)} ${not}${anonymousSet(match.prefixes.map(nftPrefix))}`;
    case 'destinationIn':
      return `${addressWord('destination', family)} ${not}${anonymousSet(match.prefixes.map(nftPrefix))}`;
    case 'inInterface':
      return `iifname ${not}${interfaceText(match.name)}`;
    case 'outInterface':
      return `oifname ${not}${interfaceText(match.name)}`;
    case 'protocol':
      return `meta l4proto ${not}${match.protocol === 'icmpv6' ? 'ipv6-icmp' : match.protocol}`;
    case 'sourcePort':
      return `th sport ${not}${portText(match)}`;
    case 'destinationPort':
      return `th dport ${not}${portText(match)}`;
    case 'sourcePorts':
      return `th sport ${not}${anonymousSet(match.ranges.map(portText))}`;
    case 'destinationPorts':
      return `th dport ${not}${anonymousSet(match.ranges.map(portText))}`;
    case 'mark':
      return `meta mark & ${hex(match.mask)} ${not === '' ? '==' : '!='} ${hex(match.value)}`;
    case 'conntrackState':
      return `ct state ${not}${match.states.map((state) => state.toLowerCase()).join(',')}`;
    case 'addressType':
      return `fib ${match.side === 'source' ? 'saddr' : 'daddr'} type ${not}local`;
    case 'set':
      return `${match.fields.map((field) => addressWord(field === 'src' ? 'source' : 'destination', family)).join(' . ')} ${not}@${match.set}`;
    case 'comment':
      return `comment "${match.text}"`;
    case 'statistic':
    case 'recent':
    case 'physdevIn':
    case 'ipvs':
    case 'nfacct':
    case 'inert':
    case 'unmodelled':
      // Of iptables only; nft lists such a rule of iptables-nft this way.
      return `xt match "${match.kind}"`;
  }
}

export function nftTargetText(target: Target, words: NftWords): string {
  switch (target.kind) {
    case 'accept':
    case 'drop':
    case 'return':
      return target.kind;
    case 'none':
      return '';
    case 'reject':
      return rejectText(target.with);
    case 'jump':
    case 'goto':
      return `${target.kind} ${target.chain}`;
    case 'mark':
      return `meta mark set ${markExpression(target)}`;
    case 'notrack':
      return 'notrack';
    case 'tproxy':
      return `tproxy to ${formatEndpoint(target.address ?? '', target.port)} meta mark set ${markExpression(target)} accept`;
    case 'dnat':
    case 'snat':
      return `${target.kind} to ${target.port === undefined ? target.address : formatEndpoint(target.address, target.port)}`;
    case 'masquerade':
      return target.randomFully ? 'masquerade fully-random' : 'masquerade';
    case 'verdictMap': {
      const key = words.mapKey(target.map).map((field) => keyWord(field, words.family));
      return [...(key.length === 0 ? [] : [key.join(' . ')]), `vmap @${target.map}`].join(' ');
    }
    case 'randomVerdictMap': {
      const elements = target.chains.map((chain, index) => `${index} : goto ${chain}`);
      return `numgen random mod ${target.chains.length} vmap { ${elements.join(', ')} }`;
    }
    case 'updateSet':
      return `update @${target.set} { ${addressWord('source', words.family)} }`;
  }
}

/** A prefix without a length that says nothing. */
export function nftPrefix(prefix: string): string {
  const [address = '', length] = prefix.split('/');
  return length === (address.includes(':') ? '128' : '32') ? address : prefix;
}

/** The type of a key field in `type … . …`. */
export function nftType(field: KeyField, family: Family): string {
  switch (field) {
    case 'address':
    case 'network':
      return family === 'IPv4' ? 'ipv4_addr' : 'ipv6_addr';
    case 'protocol':
      return 'inet_proto';
    case 'port':
      return 'inet_service';
  }
}

/** Maps are asked by destination. */
function keyWord(field: KeyField, family: Family): string {
  switch (field) {
    case 'address':
    case 'network':
      return addressWord('destination', family);
    case 'protocol':
      return 'meta l4proto';
    case 'port':
      return 'th dport';
  }
}

function addressWord(side: Side, family: Family): string {
  return `${family === 'IPv4' ? 'ip' : 'ip6'} ${side === 'source' ? 'saddr' : 'daddr'}`;
}

/** nft lists an anonymous set of one member without braces. */
function anonymousSet(members: readonly string[]): string {
  return members.length === 1 ? members.join('') : `{ ${members.join(', ')} }`;
}

function interfaceText(name: string): string {
  return `"${name.endsWith('+') ? `${name.slice(0, -1)}*` : name}"`;
}

function portText({ from, to }: { readonly from: number; readonly to: number }): string {
  return from === to ? String(from) : `${from}-${to}`;
}

/** `reject` alone answers as both of kube-proxy's modes do: port unreachable of the family. */
function rejectText(type: string): string {
  if (type === 'icmp-port-unreachable' || type === 'icmp6-port-unreachable') return 'reject';
  return type === 'tcp-reset' ? 'reject with tcp reset' : `reject with ${type.startsWith('icmp6-') ? 'icmpv6' : 'icmp'} ${icmpCode(type)}`;
}

function icmpCode(type: string): string {
  return type.replace(/^icmp6?-/, '').replace(/^adm-prohibited$/, 'admin-prohibited');
}

/** (mark & ~mask) ^ value, in the fewest words that say it. */
function markExpression({ value, mask }: { readonly value: number; readonly mask: number }): string {
  if (mask === 0xffffffff) return hex(value);
  if (mask === 0) return `meta mark ^ ${hex(value)}`;
  if (mask === value) return `meta mark | ${hex(value)}`;
  const kept = `meta mark & ${hex(~mask >>> 0)}`;
  return value === 0 ? kept : `${kept} ^ ${hex(value)}`;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(HEX_DIGITS, '0')}`;
}
