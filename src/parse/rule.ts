// One `-A` line of a dump → a Rule. What is not modelled is an error or, leniently, words that the Rule carries along.
import type { Family } from '../address.ts';
import { RulesError } from '../errors.ts';
import { kernelOrder } from '../program/match-order.ts';
import type { Match, Rule, Target } from '../program/ruleset.ts';
import type { NamedSet } from '../program/sets.ts';
import { not, readModule, readProtocol, readSetModule } from './matches.ts';
import { readTarget } from './targets.ts';
import { readPrefix } from './values.ts';
import { type Clause, splitClauses, type Word } from './words.ts';

/** The line, and what its words need to know around them. */
export interface RuleSource {
  readonly family: Family;
  readonly table: string;
  readonly line: number;
  /** The whole line. */
  readonly text: string;
  hasChain(name: string): boolean;
  /** Those whose contents are known. */
  readonly sets: readonly NamedSet[];
  /** Called for words that are not modelled; without it they are an error. */
  readonly onUnmodelled?: (problem: RulesError) => void;
}

/** `words`: those after `-A CHAIN`. @throws RulesError */
export function readRule(words: readonly Word[], source: RuleSource): Rule {
  const clauses = splitClauses(words).filter(({ flag }) => flag !== '-c');
  const targets = clauses.filter(isTarget);
  if (targets[1] !== undefined) throw problem(source, targets[1], 'is a second target');
  const conditions = clauses.filter((clause) => !isTarget(clause));
  const readings = conditions.map((clause) => ({ clause, matches: readClause(clause, conditions, source) }));
  const known = readings.flatMap(({ matches }) => matches ?? []);
  const target = readTarget(targets[0], source) ?? unmodelledTarget(targets[0], known, source);
  const hasNoEffect = (target.kind === 'none' && target.isUnmodelled === undefined) || !mayHold(known);
  const matches = readings.flatMap(({ clause, matches: read }) => read ?? [unmodelledMatch(clause, hasNoEffect, source)]);
  return { matches: kernelOrder(matches), target, line: source.line };
}

function isTarget({ flag }: Clause): boolean {
  return flag === '-j' || flag === '-g';
}

/** Undefined: not modelled. */
function readClause(clause: Clause, all: readonly Clause[], { family, sets }: RuleSource): readonly Match[] | undefined {
  const { flag, value, options } = clause;
  if (flag !== undefined && flag !== '-m' && options.length > 0) return undefined;
  switch (flag) {
    case '-s':
    case '-d': {
      const prefix = readPrefix(value, family);
      return prefix === undefined ? undefined : [{ kind: flag === '-s' ? 'source' : 'destination', prefix, ...not(clause) }];
    }
    case '-i':
      return [{ kind: 'inInterface', name: value, ...not(clause) }];
    case '-o':
      return [{ kind: 'outInterface', name: value, ...not(clause) }];
    case '-p':
      return readProtocolClause(clause);
    case '-f':
      // Packets here are whole.
      return clause.negated ? [] : [{ kind: 'inert', text: clause.text }];
    case '-m':
      if (clause.negated) return undefined;
      return value === 'set' ? readSetModule(options, sets) : readModule(value, options, family);
    default:
      return readModule(all.find((other) => other.flag === '-p')?.value ?? '', options, family);
  }
}

function readProtocolClause(clause: Clause): readonly Match[] | undefined {
  const protocol = readProtocol(clause.value);
  if (protocol === 'all') return clause.negated ? undefined : [];
  if (protocol !== undefined) return [{ kind: 'protocol', protocol, ...not(clause) }];
  return clause.negated ? undefined : [{ kind: 'inert', text: clause.text }];
}

/** Some packet of this model can pass: none is ICMP, and none of a protocol beyond. */
function mayHold(matches: readonly Match[]): boolean {
  return !matches.some(
    (match) =>
      match.kind === 'inert' ||
      (match.kind === 'protocol' && match.negated === undefined && (match.protocol === 'icmp' || match.protocol === 'icmpv6')),
  );
}

function unmodelledMatch(clause: Clause, hasNoEffect: boolean, source: RuleSource): Match {
  if (hasNoEffect) return { kind: 'inert', text: clause.text };
  report(source, clause);
  return { kind: 'unmodelled', text: clause.text };
}

function unmodelledTarget(clause: Clause | undefined, matches: readonly Match[], source: RuleSource): Target {
  const text = clause?.text.replace(/^-[jg] /, '') ?? '';
  if (!mayHold(matches)) return { kind: 'none', text };
  if (clause !== undefined) report(source, clause);
  return { kind: 'none', text, isUnmodelled: true };
}

function report(source: RuleSource, clause: Clause): void {
  const asksSet = clause.flag === '-m' && clause.value === 'set';
  const message = asksSet ? 'asks a set whose contents are not given, expected them as ipset save prints them' : 'is not modelled';
  const error = problem(source, clause, message);
  if (source.onUnmodelled === undefined) throw error;
  source.onUnmodelled(error);
}

function problem({ line, text }: RuleSource, clause: Clause, message: string): RulesError {
  return new RulesError({ line, rule: text, match: clause.text, message });
}
