// The words of one rule as iptables-save prints it. Renderers, explanations and traces use it. It never looks beyond the rule.
import { type Family, formatEndpoint } from '../address.ts';
import { kernelOrder } from '../program/match-order.ts';
import type { ConntrackState, IpProtocol, Match, Rule, Target } from '../program/ruleset.ts';
import { nftMatchText, nftTargetText } from './nft-rule-text.ts';

const TWO_TO_31 = 0x80000000;
const FULL_MASK = 0xffffffff;
const PROBABILITY_DECIMALS = 11;

/** The order in which iptables-save prints conntrack's states. */
const stateOrder: readonly ConntrackState[] = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED', 'SNAT', 'DNAT'];

/** Words that xtables_save_string leaves without quotes. */
const plainWord = /^[\w-]+$/;

/** `-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "…" -m tcp --dport 443 -j KUBE-SVC-…`. */
export function ruleText(rule: Rule, chainName: string, family: Family): string {
  const words = matchTexts(rule, kernelOrder(rule.matches), family);
  return ['-A', chainName, ...words, targetText(rule.target, family)].filter((word) => word !== '').join(' ');
}

/** The protocol's own module stands once, with all ports, where the first port is matched. */
function matchTexts(rule: Rule, matches: readonly Match[], family: Family): string[] {
  const ports = matches.filter((match) => match.kind === 'sourcePort' || match.kind === 'destinationPort');
  const module = protocolModule(rule);
  const texts = matches.flatMap((match) => {
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
      return `${not}-s ${match.prefix}`;
    case 'destination':
      return `${not}-d ${match.prefix}`;
    case 'sourceIn':
    case 'destinationIn':
      // iptables has no such match.
      return nftMatchText(match, family);
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
    case 'sourcePorts':
      return `-m multiport ${not}--sports ${match.ranges.map(portText).join(',')}`;
    case 'destinationPorts':
      return `-m multiport ${not}--dports ${match.ranges.map(portText).join(',')}`;
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
    case 'inert':
    case 'unmodelled':
      return match.text;
    case 'comment':
      return `-m comment --comment ${quote(match.text)}`;
  }
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
      return target.text === undefined ? '' : `-j ${target.text}`;
    case 'reject':
      return `-j REJECT --reject-with ${target.with}`;
    case 'jump':
      return `-j ${target.chain}`;
    case 'goto':
      return `-g ${target.chain}`;
    case 'mark':
      return `-j MARK --set-xmark ${hex(target.value)}/${hex(target.mask)}`;
    case 'notrack':
      return '-j CT --notrack';
    case 'tproxy':
      return tproxyText(target);
    case 'dnat':
      return `-j DNAT --to-destination ${endpointText(target)}`;
    case 'snat':
      return `-j SNAT --to-source ${endpointText(target)}`;
    case 'masquerade':
      return target.randomFully ? '-j MASQUERADE --random-fully' : '-j MASQUERADE';
    case 'verdictMap':
    case 'randomVerdictMap':
    case 'updateSet':
      // iptables has no such target.
      return nftTargetText(target, { family, mapKey: () => [] });
  }
}

function tproxyText({ port, address, value, mask }: Extract<Target, { kind: 'tproxy' }>): string {
  const onAddress = address === undefined ? '' : ` --on-ip ${address}`;
  return `-j TPROXY --on-port ${port}${onAddress} --tproxy-mark ${hex(value)}/${hex(mask)}`;
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
