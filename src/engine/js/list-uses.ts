// Which xt_recent lists rules name: a list is forgotten with the last rule that does.
import type { Rule } from '../../program/ruleset.ts';
import type { RecentLists } from './recent.ts';

const NONE: readonly string[] = [];

export function listsNamedBy({ matches }: Rule): readonly string[] {
  if (!matches.some(({ kind }) => kind === 'recent')) return NONE;
  return matches.flatMap((match) => (match.kind === 'recent' ? [match.list] : []));
}

export class ListUses {
  readonly #recents: RecentLists;
  readonly #uses = new Map<string, number>();
  readonly #left = new Set<string>();

  constructor(recents: RecentLists) {
    this.#recents = recents;
  }

  add(lists: readonly string[]): void {
    for (const list of lists) this.#uses.set(list, (this.#uses.get(list) ?? 0) + 1);
  }

  remove(lists: readonly string[]): void {
    for (const list of lists) {
      this.#uses.set(list, (this.#uses.get(list) ?? 0) - 1);
      this.#left.add(list);
    }
  }

  /** Once all of a change was counted. */
  forgetUnused(): void {
    for (const list of this.#left) {
      if ((this.#uses.get(list) ?? 0) > 0) continue;
      this.#uses.delete(list);
      this.#recents.forget(list);
    }
    this.#left.clear();
  }
}
