// The base chains of a Program by hook, in the order they run.
import type { Base } from '../../program/base-chains.ts';
import type { Hook } from '../../program/ruleset.ts';
import type { LoadedBaseChain, LoadedChain } from './ruleset.ts';

export function loadedHooks(
  bases: readonly Base[],
  find: (table: string, chain: string) => LoadedChain | undefined,
): Record<Hook, readonly LoadedBaseChain[]> {
  const hooks: Record<Hook, LoadedBaseChain[]> = { PREROUTING: [], INPUT: [], FORWARD: [], OUTPUT: [], POSTROUTING: [] };
  for (const { table, chain: source, hook, isNat, priority, policy } of bases) {
    const chain = find(table, source.name);
    if (chain !== undefined) hooks[hook].push({ chain, isNat, priority, policy });
  }
  // Array.sort is stable: chains of equal priority keep the order of the Program.
  for (const chains of Object.values(hooks)) chains.sort((a, b) => a.priority - b.priority);
  return hooks;
}
