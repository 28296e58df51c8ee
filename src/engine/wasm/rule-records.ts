// Encodes the rules of a stretch of a chain: a row of words each, and the records that only they point to (matches, addresses, lists of
// chains), which lie together in one block, their annex.
import {
  CLASSES_ANY,
  MATCH_SIZE,
  PORT_KEEP,
  PORTS_ANY,
  TARGET_ACCEPT,
  TARGET_DNAT,
  TARGET_DROP,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_MARK,
  TARGET_MASQUERADE,
  TARGET_NONE,
  TARGET_NOTRACK,
  TARGET_RANDOM_CHAIN,
  TARGET_REJECT,
  TARGET_RETURN,
  TARGET_SNAT,
  TARGET_TPROXY,
  TARGET_UPDATE_SIGHTING,
  TARGET_VERDICT_MAP,
} from '../../../assembly/shared/layout.ts';
import { UnsupportedError } from '../../errors.ts';
import type { Rule, Target } from '../../program/ruleset.ts';
import { type ColumnRow, type MatchTargets, splitMatches, writeMatches } from './match-records.ts';
import type { Block, Records } from './records.ts';
import type { TableImage } from './table-image.ts';
import { addressWords, swapPort } from './wire.ts';

/** What rules refer to, by the names of one table. */
export interface RuleTargets extends MatchTargets {
  chainReference(name: string): number;
  servicePortId(name: string): number;
}

/** A rule in words. */
export interface Row extends ColumnRow {
  target: number;
  a: number;
  b: number;
  matches: number;
  matchCount: number;
  servicePort: number;
}

/** Encoded rules with the block that their words point into. */
export interface EncodedRules {
  readonly rows: readonly Row[];
  readonly annex: Block;
}

export function encodeRules(rules: readonly Rule[], targets: RuleTargets, image: TableImage, records: Records): EncodedRules {
  image.clear();
  const pointers: { readonly row: Row; readonly field: 'a' | 'matches' }[] = [];
  const rows = rules.map((rule) => encodeRule(rule, targets, image, pointers));
  const annex = records.place(image);
  for (const { row, field } of pointers) row[field] += annex.address;
  return { rows, annex };
}

function encodeRule(rule: Rule, targets: RuleTargets, image: TableImage, pointers: { row: Row; field: 'a' | 'matches' }[]): Row {
  const servicePort = rule.servicePort === undefined ? 0 : targets.servicePortId(rule.servicePort);
  const row: Row = {
    network: NO_WORDS,
    mask: NO_WORDS,
    ports: PORTS_ANY,
    classes: CLASSES_ANY,
    target: 0,
    a: 0,
    b: 0,
    matches: 0,
    matchCount: 0,
    servicePort,
  };
  const matches = splitMatches(rule.matches, row);
  if (matches.length > 0) {
    row.matches = image.reserve(matches.length * MATCH_SIZE);
    row.matchCount = matches.length;
    pointers.push({ row, field: 'matches' });
    writeMatches(image, row.matches, matches, targets);
  }
  const { kind, a = 0, b = 0, record } = targetWords(rule.target, targets, image);
  row.target = kind;
  row.a = record ?? a;
  row.b = b;
  if (record !== undefined) pointers.push({ row, field: 'a' });
  return row;
}

const NO_WORDS: readonly number[] = [];

/** `record`: the offset in the image of what the first argument is the address of. */
interface TargetWords {
  readonly kind: number;
  readonly a?: number;
  readonly b?: number;
  readonly record?: number;
}

function targetWords(target: Target, targets: RuleTargets, image: TableImage): TargetWords {
  switch (target.kind) {
    case 'none':
      return { kind: TARGET_NONE };
    case 'accept':
      return { kind: TARGET_ACCEPT };
    case 'drop':
      return { kind: TARGET_DROP };
    case 'return':
      return { kind: TARGET_RETURN };
    case 'reject':
      return { kind: TARGET_REJECT };
    case 'jump':
      return { kind: TARGET_JUMP, a: targets.chainReference(target.chain) };
    case 'goto':
      return { kind: TARGET_GOTO, a: targets.chainReference(target.chain) };
    case 'mark':
      return { kind: TARGET_MARK, a: target.value, b: target.mask };
    case 'notrack':
      return { kind: TARGET_NOTRACK };
    case 'tproxy':
      return { kind: TARGET_TPROXY, a: target.value, b: target.mask };
    case 'dnat':
      return { kind: TARGET_DNAT, record: writeAddress(image, target.address), b: portWord(target.port) };
    case 'snat':
      return { kind: TARGET_SNAT, record: writeAddress(image, target.address), b: portWord(target.port) };
    case 'masquerade':
      return { kind: TARGET_MASQUERADE, a: target.randomFully ? 1 : 0 };
    case 'verdictMap':
      return { kind: TARGET_VERDICT_MAP, a: targets.setReference(target.map), b: targets.setSelectors(target.map, ['dst', 'dst']) };
    case 'randomVerdictMap':
      return { kind: TARGET_RANDOM_CHAIN, record: writeChainList(image, target.chains, targets), b: target.chains.length };
    case 'updateSet':
      return updateWords(target.set, targets);
  }
}

function updateWords(name: string, targets: RuleTargets): TargetWords {
  const set = targets.sightingSet(name);
  if (set === undefined) throw new UnsupportedError(`the program has no dynamic set ${name}, but a rule updates it`);
  return { kind: TARGET_UPDATE_SIGHTING, a: set.number, b: set.seconds };
}

function writeChainList(image: TableImage, chains: readonly string[], targets: RuleTargets): number {
  const list = image.reserve(chains.length * 4);
  for (let index = 0; index < chains.length; index++) image.set(list + index * 4, targets.chainReference(chains[index] ?? ''));
  return list;
}

function writeAddress(image: TableImage, text: string): number {
  const words = addressWords(text);
  const at = image.reserve(words.length * 4);
  for (let index = 0; index < words.length; index++) image.set(at + index * 4, words[index] ?? 0);
  return at;
}

function portWord(port: number | undefined): number {
  return port === undefined ? PORT_KEEP : swapPort(port);
}
