// What iptables-save and ip6tables-save print → Programs, one for each family. Node addresses are not in a dump: the caller knows them.
import type { Family } from '../address.ts';
import { RulesError } from '../errors.ts';
import type { Program } from '../program/program.ts';
import type { Chain, Rule, Table } from '../program/ruleset.ts';
import type { NamedSet } from '../program/sets.ts';
import { builtinBase, isTableName } from './builtin-chains.ts';
import { type DumpedSet, readSets } from './ipset-save.ts';
import { readRule } from './rule.ts';
import { type DumpLine, type DumpTable, splitSections } from './sections.ts';
import { withServicePorts } from './service-ports.ts';
import { hasWholeQuotes, splitWords, type Word } from './words.ts';

/** How a dump is read. */
export interface ReadOptions {
  /** Called for each rule that is not wholly modelled; without it such a rule is an error. */
  readonly onUnmodelled?: (problem: RulesError) => void;
}

/** What a dump says of one family. */
export type DumpedRules = Pick<Program, 'tables' | 'sets'>;

/** What a dump says, of both families when it holds both. */
export type Dump = Readonly<Record<Family, DumpedRules>>;

/** A Program of dumped rules; the rest of it no dump says. */
export function dumpedProgram(family: Family, rules: DumpedRules, node: Pick<Program, 'localAddresses' | 'masqueradeAddress'>): Program {
  return { family, ...rules, maps: [], virtualServices: [], ...node };
}

/** @throws RulesError at the first line that cannot be read or, without `onUnmodelled`, is not modelled. */
export function parseIptablesSave(text: string, options: ReadOptions = {}): Dump {
  const { tables, setLines } = splitSections(text);
  const sets = readSets(setLines);
  const found: Record<Family, Table[]> = { IPv4: [], IPv6: [] };
  for (const dumped of tables) {
    const known = found[dumped.family];
    if (!isTableName(dumped.name)) throw wrong({ number: dumped.line, text: `*${dumped.name}` }, 'is no table of iptables');
    if (known.some(({ name }) => name === dumped.name)) {
      throw wrong({ number: dumped.line, text: `*${dumped.name}` }, `is a second table of this name for ${dumped.family}`);
    }
    known.push(withServicePorts(readTable(dumped, setsOf(dumped.family, sets), options)));
  }
  const dumpedRules = (family: Family): DumpedRules => ({ tables: found[family], sets: setsOf(family, sets) });
  return { IPv4: dumpedRules('IPv4'), IPv6: dumpedRules('IPv6') };
}

function setsOf(family: Family, sets: readonly DumpedSet[]): NamedSet[] {
  return sets.flatMap(({ family: own, ...set }) => (own === undefined || own === family ? [set] : []));
}

function readTable({ name, family, lines }: DumpTable, sets: readonly NamedSet[], options: ReadOptions): Table {
  const chains = new Map<string, Chain & { readonly rules: Rule[] }>();
  for (const line of lines.filter(isDeclaration)) {
    const chain = readDeclaration(line, name);
    chains.set(chain.name, { ...chain, rules: [] });
  }
  const hasChain = (chain: string): boolean => chains.has(chain) && builtinBase(name, chain) === undefined;
  for (const line of lines.filter((each) => !isDeclaration(each))) {
    if (!hasWholeQuotes(line.text)) throw wrong(line, 'has a quote that does not end');
    const [command, chainName, ...words] = withoutCounters(splitWords(line.text));
    const chain = chains.get(chainName?.text ?? '');
    if (command?.text !== '-A') throw wrong(line, 'is not understood, expected a rule that begins with -A');
    if (chain === undefined) throw wrong(line, `is a rule of a chain that ${name} does not declare`);
    chain.rules.push(readRule(words, { family, table: name, line: line.number, text: line.text, hasChain, sets, ...options }));
  }
  return { name, chains: [...chains.values()] };
}

function isDeclaration({ text }: DumpLine): boolean {
  return text.startsWith(':');
}

/** `:INPUT ACCEPT [0:0]`, `:KUBE-SERVICES - [0:0]`. */
function readDeclaration(line: DumpLine, table: string): Chain {
  const [, name = '', policy = ''] = /^:(\S+)\s+(ACCEPT|DROP|-)(?:\s+\[\d+:\d+\])?$/.exec(line.text) ?? [];
  if (name === '') throw wrong(line, 'is not understood, expected :CHAIN POLICY [packets:bytes]');
  const base = builtinBase(table, name);
  if (base === undefined) return { name, rules: [] };
  return { name, rules: [], base: { ...base, policy: policy === 'DROP' ? 'drop' : 'accept' } };
}

/** `iptables-save -c` puts `[packets:bytes]` before each rule. */
function withoutCounters(words: readonly Word[]): readonly Word[] {
  return /^\[\d+:\d+\]$/.test(words[0]?.text ?? '') ? words.slice(1) : words;
}

function wrong(line: DumpLine, message: string): RulesError {
  return new RulesError({ line: line.number, rule: line.text, match: line.text, message });
}
