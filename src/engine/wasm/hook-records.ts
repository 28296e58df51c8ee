// Writes the base chains of the hooks, each hook's in the order in which they run.
import {
  BASE_CHAIN,
  BASE_IS_NAT,
  BASE_MARKS,
  BASE_NEW_RULES,
  BASE_PRIORITY,
  BASE_RUN,
  BASE_SIZE,
  HOOK_FORWARD,
  HOOK_INPUT,
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  ROOT_HOOKS,
} from '../../../assembly/shared/layout.ts';
import type { EstablishedProof } from '../../program/established.ts';
import type { Hook } from '../../program/ruleset.ts';
import type { Block, Records } from './records.ts';
import type { TableImage } from './table-image.ts';

const HOOK_NUMBER: Readonly<Record<Hook, number>> = {
  PREROUTING: HOOK_PREROUTING,
  INPUT: HOOK_INPUT,
  FORWARD: HOOK_FORWARD,
  OUTPUT: HOOK_OUTPUT,
  POSTROUTING: HOOK_POSTROUTING,
};

/** @param chainReference by the names of table and chain */
export function writeHooks(
  { bases, constantWalks }: EstablishedProof,
  records: Records,
  image: TableImage,
  chainReference: (table: string, chain: string) => number,
): Block {
  image.clear();
  const places = Object.entries(HOOK_NUMBER).map(([hook, number]) => {
    const here = bases.filter((base) => base.hook === hook).sort((a, b) => a.priority - b.priority);
    const at = image.reserve(here.length * BASE_SIZE);
    for (const [index, base] of here.entries()) {
      const record = at + index * BASE_SIZE;
      const walk = constantWalks.get(base);
      image.set(record + BASE_CHAIN, chainReference(base.table, base.chain.name));
      image.set(record + BASE_IS_NAT, base.isNat ? 1 : 0);
      image.set(record + BASE_PRIORITY, base.priority >>> 0);
      image.set(record + BASE_NEW_RULES, walk?.rules ?? BASE_RUN);
      image.set(record + BASE_MARKS, walk?.marks ?? 0);
    }
    return { number, at, count: here.length };
  });
  const block = records.place(image);
  for (const { number, at, count } of places) {
    records.setField(ROOT_HOOKS + number * 8, block.address + at);
    records.setField(ROOT_HOOKS + number * 8 + 4, count);
  }
  return block;
}
