// The words of one rule: as iptables-save prints it, with nft's words for what only nftables has. Renderers, explanations and
// traces use it. It never looks beyond the rule.
import { type Family, formatEndpoint } from '../address.ts';
import type { ConntrackState, IpProtocol, Match, Rule, Target } from '../program/ruleset.ts';

const TWO_TO_31 = 0x80000000;
const FULL_MASK = 0xffffffff;
const PROBABILITY_DECIMALS = 11;

/** The kinds that iptables-save prints first, in this order, whatever their place in the rule. */
const leadingKinds: readonly Match['kind'][] = ['source', 'destination', 'inInterface', 'outInterface', 'protocol'];

/** The order in which iptables-save prints conntrack's states. */
const stateOrder: readonly ConntrackState[] = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED', 'SNAT', 'DNAT'];

/** Words that xtables_save_string leaves without quotes. */
const plainWord = /^[\w-]+$/;

/** `-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "…" -m tcp --dport 443 -j KUBE-SVC-…`. */
export function ruleText(rule: Rule, chainName: string, family: Family): string {
  const leading = leadingKinds.flatMap((kind) => rule.matches.filter((match) => match.kind === kind));
  const others = rule.matches.filter((match) => !leading.includes(match));
  const words = [...leading.map((match) => matchText(match, family)), ...otherMatchTexts(rule, others, family)];
  return ['-A', chainName, ...words, targetText(rule.target, family)].filter((word) => word !== '').join(' ');
}

/** The matches after `-p`. The protocol's own module stands once, with all ports, where the first port is matched. */
function otherMatchTexts(rule: Rule, others: readonly Match[], family: Family): string[] {
  const ports = others.filter((match) => match.kind === 'sourcePort' || match.kind === 'destinationPort');
  const module = protocolModule(rule);
  const texts = others.flatMap((match) => {
    if (match !== ports[0]) return ports.includes(match) ? [] : matchText(match, family);
    return [...module, ...ports.map((port) => matchText(port, family))];
  });
  // kube-proxy's DNAT rules name the module without a port.
  return ports.length === 0 && rule.target.kind === 'dnat' ? [...texts, ...module] : texts;
}

function protocolModule(rule: Rule): string[] {
  const match = rule.matches.find(({ kind }) => kind === 'protocol');
  return match?.kind === 'protocol' && match.negated === undefined ? [`-m ${match.protocol}`] : [];
}

function matchText(match: Match, family: Family): string {
  const not = 'negated' in match ? '! ' : '';
  switch (match.kind) {
    case 'source':
      return isEverything(match) ? '' : `${not}-s ${match.prefix}`;
    case 'destination':
      return isEverything(match) ? '' : `${not}-d ${match.prefix}`;
    case 'sourceIn':
      return prefixesText('saddr', match, family);
    case 'destinationIn':
      return prefixesText('daddr', match, family);
    case 'inInterface':
      return `${not}-i ${match.name}`;
    case 'outInterface':
      return `${not}-o ${match.name}`;
    case 'protocol':
      return `${not}-p ${protocolName(match.protocol)}`;
    case 'sourcePort':
      return `${not}--sport ${portText(match)}`;
    case 'destinationPort':
      return `${not}--dport ${portText(match)}`;
    case 'mark':
      return `-m mark ${not}--mark ${hex(match.value)}${match.mask === FULL_MASK ? '' : `/${hex(match.mask)}`}`;
    case 'conntrackState':
      return `-m conntrack ${not}--ctstate ${stateOrder.filter((state) => match.states.includes(state)).join(',')}`;
    case 'addressType':
      return `-m addrtype ${not}--${match.side === 'source' ? 'src' : 'dst'}-type ${match.type}`;
    case 'statistic':
      return `-m statistic --mode random ${not}--probability ${(match.threshold / TWO_TO_31).toFixed(PROBABILITY_DECIMALS)}`;
    case 'recent':
      return recentText(match, family);
    case 'set':
      return `-m set ${not}--match-set ${match.set} ${match.fields.join(',')}`;
    case 'physdevIn':
      return `-m physdev ${not}--physdev-is-in`;
    case 'ipvs':
      return `-m ipvs ${not}--vaddr ${match.virtualAddress} ${not}--vproto ${match.virtualProtocol} ${not}--vport ${match.virtualPort}`;
    case 'nfacct':
      return `-m nfacct --nfacct-name ${quote(match.name)}`;
    case 'comment':
      return `-m comment --comment ${quote(match.text)}`;
  }
}

/** nft's words: iptables has no such match. */
function prefixesText(side: 'saddr' | 'daddr', match: Extract<Match, { kind: 'sourceIn' | 'destinationIn' }>, family: Family): string {
  return `${nftFamily(family)} ${side} ${match.negated ? '!= ' : ''}{ ${match.prefixes.join(', ')} }`;
}

function recentText(match: Extract<Match, { kind: 'recent' }>, family: Family): string {
  const mask = family === 'IPv4' ? '255.255.255.255' : 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
  return [
    `-m recent ${match.negated ? '! ' : ''}--${match.operation}`,
    match.seconds === undefined ? '' : ` --seconds ${match.seconds}`,
    match.reap ? ' --reap' : '',
    ` --name ${match.list} --mask ${mask} --rsource`,
  ].join('');
}

function targetText(target: Target, family: Family): string {
  switch (target.kind) {
    case 'accept':
    case 'drop':
    case 'return':
      return `-j ${target.kind.toUpperCase()}`;
    case 'none':
      return '';
    case 'reject':
      return `-j REJECT --reject-with ${target.with}`;
    case 'jump':
      return `-j ${target.chain}`;
    case 'goto':
      return `-g ${target.chain}`;
    case 'mark':
      return `-j MARK --set-xmark ${hex(target.value)}/${hex(target.mask)}`;
    case 'dnat':
      return `-j DNAT --to-destination ${endpointText(target)}`;
    case 'snat':
      return `-j SNAT --to-source ${endpointText(target)}`;
    case 'masquerade':
      return target.randomFully ? '-j MASQUERADE --random-fully' : '-j MASQUERADE';
    case 'verdictMap':
      return `vmap @${target.map}`;
    case 'randomVerdictMap': {
      const elements = target.chains.map((chain, index) => `${index} : goto ${chain}`);
      return `numgen random mod ${target.chains.length} vmap { ${elements.join(', ')} }`;
    }
    case 'updateSet':
      return `update @${target.set} { ${nftFamily(family)} saddr }`;
  }
}

/** iptables-save leaves out a prefix that says nothing. */
function isEverything({ prefix, negated }: { readonly prefix: string; readonly negated?: true }): boolean {
  return negated === undefined && prefix.endsWith('/0');
}

function nftFamily(family: Family): string {
  return family === 'IPv4' ? 'ip' : 'ip6';
}

/** /etc/protocols knows it by this name. */
function protocolName(protocol: IpProtocol): string {
  return protocol === 'icmpv6' ? 'ipv6-icmp' : protocol;
}

function portText({ from, to }: { readonly from: number; readonly to: number }): string {
  return from === to ? String(from) : `${from}:${to}`;
}

function endpointText({ address, port }: { readonly address: string; readonly port?: number }): string {
  return port === undefined ? address : formatEndpoint(address, port);
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

function quote(text: string): string {
  return plainWord.test(text) ? text : `"${text.replace(/["'\\]/g, '\\$&')}"`;
}
