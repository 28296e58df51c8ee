// A rule, element or set of nftables mode as the data of kube-proxy-nft-facts.json writes it.
import { formatEndpoint } from '../../src/address.ts';
import type { Match, Rule, Target } from '../../src/program/ruleset.ts';
import type { KeyField, VerdictMap } from '../../src/program/sets.ts';

/** The fields that the notes of the file name. */
export type NftFact = Readonly<Record<string, unknown>>;

/** Which part of a packet stands for a field of a map's key. */
const KEY_PARTS: Readonly<Record<KeyField, string>> = { address: 'daddr', network: 'daddr', protocol: 'l4proto', port: 'dport' };

export function nftRuleFact(chain: string, rule: Rule, maps: readonly VerdictMap[]): NftFact {
  return Object.assign({ chain }, ...rule.matches.map(matchFact), targetFact(rule.target, maps));
}

/** Key parts are texts in the data. */
export function elementFact(element: VerdictMap['elements'][number]): NftFact {
  const { key, verdict, comment } = element;
  return {
    key: key.map(String),
    verdict: verdict.kind === 'drop' ? 'drop' : { goto: verdict.chain },
    ...(comment === undefined ? {} : { comment }),
  };
}

function matchFact(match: Match): NftFact {
  const isNegated = 'negated' in match;
  switch (match.kind) {
    case 'source':
      return { [isNegated ? 'notSaddr' : 'saddr']: plain(match.prefix) };
    case 'destination':
      return { [isNegated ? 'notDaddr' : 'daddr']: plain(match.prefix) };
    case 'sourceIn':
      return { [isNegated ? 'notSaddrIn' : 'saddrIn']: match.prefixes };
    case 'destinationIn':
      return { [isNegated ? 'notDaddrIn' : 'daddrIn']: match.prefixes };
    case 'set':
      return { [match.fields[0] === 'src' ? 'saddrSet' : 'daddrSet']: match.set };
    case 'addressType':
      return { [match.side === 'source' ? 'saddrType' : 'daddrType']: match.type.toLowerCase() };
    case 'conntrackState':
      return { ctState: match.states.join(',').toLowerCase() };
    case 'protocol':
      return { l4proto: match.protocol };
    case 'mark':
      return match.value === 0 ? { markNotSet: hex(match.mask) } : { mark: `${hex(match.value)}/${hex(match.mask)}` };
    case 'comment':
      return { comment: match.text };
    default:
      throw new Error(`the data has no field for the match ${match.kind}`);
  }
}

function targetFact(target: Target, maps: readonly VerdictMap[]): NftFact {
  switch (target.kind) {
    case 'accept':
    case 'drop':
    case 'return':
    case 'reject':
      return { verdict: target.kind };
    case 'jump':
    case 'goto':
      return { [target.kind]: target.chain };
    case 'mark':
      return { [target.mask === 0 ? 'markXor' : 'markOr']: hex(target.value) };
    case 'masquerade':
      return { masquerade: target.randomFully ? 'fully-random' : '' };
    case 'dnat':
      return { dnatTo: formatEndpoint(target.address, target.port ?? 0) };
    case 'verdictMap': {
      const key = maps.find(({ name }) => name === target.map)?.key ?? [];
      return { vmap: { key: key.map((field) => KEY_PARTS[field]), map: target.map } };
    }
    case 'randomVerdictMap':
      return { random: { mod: target.chains.length, goto: target.chains } };
    case 'updateSet':
      return { updateSet: { set: target.set, key: 'saddr' } };
    default:
      throw new Error(`the data has no field for the target ${target.kind}`);
  }
}

/** The data leaves out the length of a whole address. */
function plain(prefix: string): string {
  const [address = '', length] = prefix.split('/');
  return length === (address.includes(':') ? '128' : '32') ? address : prefix;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
