// Encodes the rules of a stretch of a chain: a row of words each, and the records that only they point to (matches, addresses, lists of
// chains), which lie together, as their annex.
import {
  PORT_KEEP,
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
import { type MatchTargets, writeMatches } from './match-records.ts';
import { ROW_A, ROW_SERVICE_PORT, type RowImage } from './row-image.ts';
import type { TableImage } from './table-image.ts';
import { swapPort, writeAddress } from './wire.ts';

/** What rules refer to, by the names of one table. */
export interface RuleTargets extends MatchTargets {
  /** Bytes of an address. */
  readonly addressSize: number;
  chainReference(name: string): number;
  servicePortId(name: string): number;
}

/** Adds a row for each rule; what rows point to goes into `annex`. */
export function encodeRules(rules: readonly Rule[], rows: RowImage, annex: TableImage, targets: RuleTargets): void {
  for (const rule of rules) {
    const row = rows.add();
    if (rule.servicePort !== undefined) rows.set(row + ROW_SERVICE_PORT, targets.servicePortId(rule.servicePort));
    writeMatches(rule.matches, rows, row, annex, targets);
    writeTarget(rule.target, rows, row, annex, targets);
  }
}

function writeTarget(target: Target, rows: RowImage, row: number, annex: TableImage, targets: RuleTargets): void {
  switch (target.kind) {
    case 'none':
      rows.setTarget(row, TARGET_NONE);
      break;
    case 'accept':
      rows.setTarget(row, TARGET_ACCEPT);
      break;
    case 'drop':
      rows.setTarget(row, TARGET_DROP);
      break;
    case 'return':
      rows.setTarget(row, TARGET_RETURN);
      break;
    case 'reject':
      rows.setTarget(row, TARGET_REJECT);
      break;
    case 'jump':
      rows.setTarget(row, TARGET_JUMP, targets.chainReference(target.chain));
      break;
    case 'goto':
      rows.setTarget(row, TARGET_GOTO, targets.chainReference(target.chain));
      break;
    case 'mark':
      rows.setTarget(row, TARGET_MARK, target.value, target.mask);
      break;
    case 'notrack':
      rows.setTarget(row, TARGET_NOTRACK);
      break;
    case 'tproxy':
      rows.setTarget(row, TARGET_TPROXY, target.value, target.mask);
      break;
    case 'dnat':
    case 'snat':
      rows.setTarget(
        row,
        target.kind === 'dnat' ? TARGET_DNAT : TARGET_SNAT,
        0,
        target.port === undefined ? PORT_KEEP : swapPort(target.port),
      );
      rows.point(row + ROW_A, addressIn(annex, target.address, targets));
      break;
    case 'masquerade':
      rows.setTarget(row, TARGET_MASQUERADE, target.randomFully ? 1 : 0);
      break;
    case 'verdictMap':
      rows.setTarget(row, TARGET_VERDICT_MAP, targets.setReference(target.map), targets.setSelectors(target.map, ['dst', 'dst']));
      break;
    case 'randomVerdictMap':
      rows.setTarget(row, TARGET_RANDOM_CHAIN, 0, target.chains.length);
      rows.point(row + ROW_A, writeChainList(annex, target.chains, targets));
      break;
    case 'updateSet': {
      const { number, seconds } = updatedSet(target.set, targets);
      rows.setTarget(row, TARGET_UPDATE_SIGHTING, number, seconds);
      break;
    }
  }
}

function updatedSet(name: string, targets: RuleTargets): { readonly number: number; readonly seconds: number } {
  const set = targets.sightingSet(name);
  if (set === undefined) throw new UnsupportedError(`the program has no dynamic set ${name}, but a rule updates it`);
  return set;
}

function writeChainList(annex: TableImage, chains: readonly string[], targets: RuleTargets): number {
  const list = annex.reserve(chains.length * 4);
  for (let index = 0; index < chains.length; index++) annex.set(list + index * 4, targets.chainReference(chains[index] ?? ''));
  return list;
}

function addressIn(annex: TableImage, text: string, targets: RuleTargets): number {
  const at = annex.reserve(targets.addressSize);
  writeAddress(annex.words, at / 4, text);
  return at;
}
