// What a sampling profile says of the files of the core.
import { OTHERS, PROFILE } from '../profile.ts';
import { type Figure, figuresNamed, numberOf } from '../results.ts';
import { stackSvg } from './chart.ts';
import { count, figure, table } from './markdown.ts';
import type { Section } from './packets.ts';

/** As many as a chart has colours for, but for one. */
const SHOWN_FILES = 9;

export function profileSection(figures: readonly Figure[]): Section {
  const profiles = figuresNamed(figures, PROFILE).map((one) => {
    const shares = Object.entries((one.shares ?? {}) as Record<string, number>);
    const ns = numberOf(one, 'median') ?? Number.NaN;
    return {
      name: one.bench.slice(`${PROFILE}/`.length),
      size: one.size,
      ns,
      parts: shares.map(([file, share]) => [file, share * ns] as const),
    };
  });
  if (profiles.length === 0) return { text: '', charts: new Map() };
  const rows = profiles.map(({ name, size, ns, parts }) => [
    name,
    count(size),
    figure(ns),
    parts.map(([file, cost]) => `${file} ${figure(cost)}`).join(', '),
  ]);
  const bars = profiles.map(({ name, parts }) => ({
    label: name,
    parts: gathered(
      parts,
      profiles.flatMap((profile) => profile.parts),
    ),
  }));
  return {
    text: `### By file of the core\n\nSampled by V8's profiler, in \`assembly/\`. What the compiler inlined counts for the file that it was inlined into, so an established packet hardly seems to leave batch.ts.\n\n![time by file](benchmarks/profile.svg)\n\n${table(['packets', 'stand', 'ns', 'of which'], rows)}`,
    charts: new Map([['profile.svg', stackSvg({ title: 'where the core spends its time', unit: 'ns a packet', bars })]]),
  };
}

type Parts = readonly (readonly [file: string, cost: number])[];

/** The files that cost most in all profiles together; the rest in one part. */
function gathered(parts: Parts, all: Parts): Parts {
  const totals = new Map<string, number>();
  for (const [file, cost] of all) totals.set(file, (totals.get(file) ?? 0) + cost);
  const shown = [...totals.keys()].filter((file) => file !== OTHERS).toSorted((a, b) => (totals.get(b) ?? 0) - (totals.get(a) ?? 0));
  const own = parts.filter(([file]) => shown.slice(0, SHOWN_FILES).includes(file));
  const rest = parts.reduce((sum, [, cost]) => sum + cost, 0) - own.reduce((sum, [, cost]) => sum + cost, 0);
  return [...own, [OTHERS, Math.max(0, rest)]];
}
