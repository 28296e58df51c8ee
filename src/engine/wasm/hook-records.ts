// Writes the base chains of the hooks, each hook's in the order in which they run.
import {
  BASE_CHAIN,
  BASE_IS_NAT,
  BASE_PRIORITY,
  BASE_SIZE,
  HOOK_FORWARD,
  HOOK_INPUT,
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  ROOT_HOOKS,
} from '../../../assembly/shared/layout.ts';
import { chainsOf } from '../../program/joined.ts';
import type { Program } from '../../program/program.ts';
import type { Chain, Hook } from '../../program/ruleset.ts';
import type { Block, Records } from './records.ts';
import type { TableImage } from './table-image.ts';

const HOOK_NUMBER: Readonly<Record<Hook, number>> = {
  PREROUTING: HOOK_PREROUTING,
  INPUT: HOOK_INPUT,
  FORWARD: HOOK_FORWARD,
  OUTPUT: HOOK_OUTPUT,
  POSTROUTING: HOOK_POSTROUTING,
};

export function hasBaseChain({ base }: Chain): boolean {
  return base !== undefined;
}

/** @param chainReference by the names of table and chain */
export function writeHooks(
  program: Program,
  records: Records,
  image: TableImage,
  chainReference: (table: string, chain: string) => number,
): Block {
  const bases = program.tables.flatMap((table) => {
    const { head, parts, tail } = chainsOf(table);
    return [head, ...parts, tail].flatMap((chains) =>
      chains.flatMap((chain) => (chain.base === undefined ? [] : [{ table: table.name, chain: chain.name, base: chain.base }])),
    );
  });
  image.clear();
  const places = Object.entries(HOOK_NUMBER).map(([hook, number]) => {
    const here = bases.filter(({ base }) => base.hook === hook).sort((a, b) => a.base.priority - b.base.priority);
    const at = image.reserve(here.length * BASE_SIZE);
    for (const [index, { table, chain, base }] of here.entries()) {
      const record = at + index * BASE_SIZE;
      image.set(record + BASE_CHAIN, chainReference(table, chain));
      image.set(record + BASE_IS_NAT, base.type === 'nat' ? 1 : 0);
      image.set(record + BASE_PRIORITY, base.priority >>> 0);
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
