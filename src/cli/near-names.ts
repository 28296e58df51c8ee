// "Did you mean …": the names that are nearest to one that does not exist.

import { editDistance } from '../edit-distance.ts';

const SHOWN_MAX = 5;

/** `; did you mean a, b?`, or what there is when nothing is near, or nothing at all. */
export function nearest(wanted: string, names: readonly string[]): string {
  if (names.length === 0) return '; there are none';
  const near = nearNames(wanted, names);
  if (near.length > 0) return `; did you mean ${orList(near)}?`;
  const rest = names.length > SHOWN_MAX ? ` and ${names.length - SHOWN_MAX} more` : '';
  return `; there ${names.length === 1 ? 'is' : 'are'} ${names.slice(0, SHOWN_MAX).join(', ')}${rest}`;
}

/** Those that are spelled nearly so or hold the name, nearest first. */
export function nearNames(wanted: string, names: readonly string[]): string[] {
  // The namespace is mostly right, and should not make up for a wrong name.
  const base = (wanted.split('/').at(-1) ?? wanted).split('.')[0] ?? wanted;
  const ranked = names.map((name) => ({ name, distance: editDistance(wanted, name) })).sort((a, b) => a.distance - b.distance);
  const near = ranked.filter(({ name, distance }) => distance <= Math.max(1, base.length / 3) || (base.length > 2 && name.includes(base)));
  return near.slice(0, SHOWN_MAX).map(({ name }) => name);
}

function orList(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
