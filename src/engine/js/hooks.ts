// The base chains of a Program by hook, in the order they run.
import { chainsOf } from '../../program/joined.ts';
import type { Program } from '../../program/program.ts';
import type { Hook } from '../../program/ruleset.ts';
import type { LoadedBaseChain, LoadedChain } from './ruleset.ts';

export function loadedHooks(
  program: Program,
  find: (table: string, chain: string) => LoadedChain | undefined,
): Record<Hook, readonly LoadedBaseChain[]> {
  const hooks: Record<Hook, LoadedBaseChain[]> = { PREROUTING: [], INPUT: [], FORWARD: [], OUTPUT: [], POSTROUTING: [] };
  for (const table of program.tables) {
    const { head, parts, tail } = chainsOf(table);
    for (const chains of [head, ...parts, tail]) {
      for (const { name, base } of chains) {
        const chain = base === undefined ? undefined : find(table.name, name);
        if (base === undefined || chain === undefined) continue;
        hooks[base.hook].push({ chain, isNat: base.type === 'nat', priority: base.priority, policy: base.policy });
      }
    }
  }
  // Array.sort is stable: chains of equal priority keep the order of the Program.
  for (const chains of Object.values(hooks)) chains.sort((a, b) => a.priority - b.priority);
  return hooks;
}
