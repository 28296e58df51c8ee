// The sorted list of all ServicePortStates of a family, updated by what changed: other entries are moved, never looked into.
import type { ServicePortState } from './expected-state.ts';

/** A changed ServicePort is in both: its old state is removed, its new one added. */
export interface StateChanges {
  readonly removed: ReadonlySet<ServicePortState>;
  readonly added: readonly ServicePortState[];
}

/** A new list, or the same one when nothing changed. Replacing costs a search an entry; adding and removing one pass over the list. */
export function withChanges(states: readonly ServicePortState[], { removed, added }: StateChanges): readonly ServicePortState[] {
  if (removed.size === 0 && added.length === 0) return states;
  const replaced = removed.size === added.length ? replaceAll(states, added) : undefined;
  if (replaced !== undefined) return replaced;
  const kept = states.filter((state) => !removed.has(state));
  return merge(kept, [...added].sort(compareStates));
}

/** By name, then protocol, as plain strings. */
export function compareStates(one: ServicePortState, other: ServicePortState): number {
  const a = one.servicePort;
  const b = other.servicePort;
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  if (a.protocol !== b.protocol) return a.protocol < b.protocol ? -1 : 1;
  return 0;
}

/** The cheap case, a change of endpoints: each added state stands where its old one was. Undefined when one is new to the list. */
function replaceAll(states: readonly ServicePortState[], added: readonly ServicePortState[]): readonly ServicePortState[] | undefined {
  const next = [...states];
  for (const state of added) {
    const index = lowerBound(states, state);
    const found = states[index];
    if (found === undefined || compareStates(found, state) !== 0) return undefined;
    next[index] = state;
  }
  return next;
}

function lowerBound(states: readonly ServicePortState[], state: ServicePortState): number {
  let low = 0;
  let high = states.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const candidate = states[middle];
    if (candidate !== undefined && compareStates(candidate, state) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function merge(left: readonly ServicePortState[], right: readonly ServicePortState[]): ServicePortState[] {
  const merged: ServicePortState[] = [];
  let next = 0;
  for (const state of left) {
    for (let other = right[next]; other !== undefined && compareStates(other, state) < 0; other = right[next]) {
      merged.push(other);
      next++;
    }
    merged.push(state);
  }
  return [...merged, ...right.slice(next)];
}
