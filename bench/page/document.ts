// `npm run bench:document RESULTS`: docs/benchmarks.md and its charts, made of a file of results and of nothing else.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Results, readResults } from '../results.ts';
import { costsSection } from './costs.ts';
import { goalsOf, goalsText, goalTable } from './goals.ts';
import { packetSections } from './packets.ts';
import { topicSections } from './topics.ts';

const VARIANTS: readonly (readonly [string, string])[] = [
  ['wasm', 'the WebAssembly engine, batches of 256 through `processBatch`'],
  ['wasm-single', 'the same, one packet a call'],
  ['js', 'the TypeScript engine: the same rules, written to be read'],
  ['twin', 'typed arrays in TypeScript, made by hand for exactly this workload, one packet at a time'],
  ['twin-staged', 'the twin with the same stages of 64 packets as the core'],
  ['map', 'idiomatic TypeScript: objects in a Map under text keys'],
  ['native', 'C (gcc -O3) on the same records and the same kind of table, without prefetch'],
  ['native-prefetch', 'the same C in stages with `__builtin_prefetch`'],
];

/** The text of docs/benchmarks.md, and its charts by file name. */
export function document(results: Results): { readonly text: string; readonly charts: ReadonlyMap<string, string> } {
  const { header } = results;
  const goals = goalsOf(results);
  const sections = [...costsSection(results), ...packetSections(results.lines), ...topicSections(results)];
  const text = [
    '# Benchmarks',
    'After this page you can say how fast each engine is, and against what. Made by `npm run bench:document` from [benchmarks.jsonl](benchmarks.jsonl); `npm run bench:full` measures, and [the guide](guides/benchmark.md) says how. Each variant has a process of its own, rounds go in turn, results are compared before a figure counts. Read the ratios: they are medians of rounds that ran side by side. Absolute figures hold for the machine below.',
    header === undefined ? '' : `- ${header.machine}\n- ${header.versions}\n- measured ${header.measuredAt}; ${header.note}`,
    '## Who is who',
    VARIANTS.map(([name, about]) => `- **${name}**: ${about}`).join('\n'),
    '## Goals',
    goalsText(goals),
    goalTable(goals),
    ...sections.map((section) => section.text),
  ];
  const charts = new Map(sections.flatMap((section) => [...section.charts]));
  return { text: `${text.filter((part) => part !== '').join('\n\n')}\n`, charts };
}

const FOLDER = 'docs/benchmarks';

/** The page, and its charts in place of those that were there. */
function write({ text, charts }: ReturnType<typeof document>): void {
  mkdirSync(FOLDER, { recursive: true });
  for (const file of readdirSync(FOLDER)) if (file.endsWith('.svg') && !charts.has(file)) rmSync(join(FOLDER, file));
  for (const [name, svg] of charts) writeFileSync(join(FOLDER, name), svg);
  writeFileSync('docs/benchmarks.md', text);
}

if (process.argv[1]?.endsWith('document.ts')) {
  const [file] = process.argv.slice(2);
  if (file === undefined) {
    process.stderr.write('usage: npm run bench:document RESULTS.jsonl\n');
    process.exitCode = 2;
  } else {
    write(document(readResults(file)));
  }
}
