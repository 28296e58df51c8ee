// A rule of iptables as the data of kube-proxy-rules.json writes it: one field for each match, in no order.
import { formatEndpoint } from '../../src/address.ts';
import type { Match, Rule, Target } from '../../src/program/ruleset.ts';

/** The fields of a rule that the notes of the file name. Addresses always carry their length. */
export type RuleFact = Readonly<Record<string, unknown>>;

const TWO_TO_31 = 0x80000000;
const PREFIX_FIELDS = ['source', 'notSource', 'destination', 'notDestination'];

export function ruleFact(table: string, chain: string, rule: Rule): RuleFact {
  return Object.assign({ table, chain }, ...rule.matches.map(matchFact), targetFact(rule.target));
}

/** An expected rule, made comparable: addresses get the length that the data leaves out, probabilities are 31-bit fractions. */
export function expectedFact(given: RuleFact): RuleFact {
  const comparable = (field: string, value: unknown): unknown => {
    if (field === 'probability') return Math.round(Number(value) * TWO_TO_31);
    return PREFIX_FIELDS.includes(field) ? whole(value) : value;
  };
  return Object.fromEntries(Object.entries(given).map(([field, value]) => [field, comparable(field, value)]));
}

function whole(value: unknown): string {
  const text = String(value);
  if (text.includes('/')) return text;
  return `${text}/${text.includes(':') ? 128 : 32}`;
}

function matchFact(match: Match): RuleFact {
  const named = (field: string, value: unknown): RuleFact => ({
    ['negated' in match ? `not${field.slice(0, 1).toUpperCase()}${field.slice(1)}` : field]: value,
  });
  switch (match.kind) {
    case 'source':
    case 'destination':
      return named(match.kind, match.prefix);
    case 'protocol':
      return named('protocol', match.protocol);
    case 'destinationPort':
      return named('dport', match.from === match.to ? match.from : `${match.from}:${match.to}`);
    case 'addressType':
      return named(match.side === 'source' ? 'srcType' : 'dstType', match.type);
    case 'conntrackState':
      return named('ctstate', match.states);
    case 'mark':
      return named('mark', `${hex(match.value)}/${hex(match.mask)}`);
    case 'statistic':
      return named('probability', match.threshold);
    case 'recent': {
      const { list, operation, seconds, reap } = match;
      return { recent: { name: list, op: operation, ...(seconds === undefined ? {} : { seconds }), ...(reap ? { reap } : {}) } };
    }
    case 'nfacct':
      return { nfacct: match.name };
    case 'comment':
      return { comment: match.text };
    default:
      throw new Error(`the data has no field for the match ${match.kind}`);
  }
}

function targetFact(target: Target): RuleFact {
  switch (target.kind) {
    case 'accept':
    case 'drop':
    case 'return':
    case 'reject':
      return { target: target.kind.toUpperCase() };
    case 'none':
      return { target: null };
    case 'jump':
      return { target: target.chain };
    case 'mark':
      return { target: 'MARK', [target.mask === 0 ? 'xorMark' : 'orMark']: hex(target.value) };
    case 'masquerade':
      return { target: 'MASQUERADE', ...(target.randomFully ? { randomFully: true } : {}) };
    case 'dnat':
      return { target: 'DNAT', toDestination: formatEndpoint(target.address, target.port ?? 0) };
    default:
      throw new Error(`the data has no field for the target ${target.kind}`);
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
