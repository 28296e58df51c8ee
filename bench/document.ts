// `npm run bench:document RESULTS`: docs/benchmarks.md and its charts, made of a file of results and of nothing else.
import { mkdirSync, writeFileSync } from 'node:fs';
import { type Chart, chartSvg } from './chart.ts';
import { type Floor, floorsOf, isMet } from './floors.ts';
import { type ResultLine, type Results, readResults } from './results.ts';
import { figuresOf, SCHEDULERS_READING, schedulerTable } from './schedulers.ts';

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

const QUESTIONS: readonly (readonly [string, string, string])[] = [
  [
    'established',
    'Established connections',
    'Packets of connections that stand, drawn uniformly: the worst case for caches. State, timer and counters are kept.',
  ],
  [
    'frames',
    'Frames',
    'Ethernet frames of established connections: parsed, decided, copied to the transmit ring and rewritten, checksums and counters included.',
  ],
  [
    'new-connections',
    'New connections',
    'Each packet begins a connection on empty connection state: rules or lookup, choice of a backend, two tuples entered.',
  ],
  ['scan-or-lookup', 'Scan or lookup', 'The first packet of a connection among 10 to 50,000 Services: iptables mode scans, IPVS looks up.'],
];

/** The text of docs/benchmarks.md, and its charts by file name. */
export function document(results: Results): { readonly text: string; readonly charts: ReadonlyMap<string, string> } {
  const charts = new Map<string, string>();
  const sections = QUESTIONS.flatMap(([bench, title, about]) => {
    const lines = results.lines.filter((line) => line.bench === bench || line.bench.startsWith(`${bench}/`));
    if (lines.length === 0) return [];
    const cases = [...new Set(lines.map((line) => line.bench))];
    const pictures = cases.map((name) => {
      const file = `${name.replaceAll('/', '-')}.svg`;
      charts.set(
        file,
        chartSvg(
          chartOf(
            name,
            lines.filter((line) => line.bench === name),
          ),
        ),
      );
      return `![${name}](benchmarks/${file})`;
    });
    return [`## ${title}`, about, ...pictures, table(lines), whoWins(lines)];
  });
  const { header } = results;
  const text = [
    '# Benchmarks',
    'After this page you can say how fast each engine is, and against what. Made by `npm run bench:document` from [benchmarks.jsonl](benchmarks.jsonl); `npm run bench:full` measures. Each variant has a process of its own, rounds go in turn, results are compared before a figure counts. Read the ratios: they are medians of rounds that ran side by side. Absolute figures hold for the machine below.',
    header === undefined ? '' : `- ${header.machine}\n- ${header.versions}\n- measured ${header.measuredAt}; ${header.note}`,
    '## Who is who',
    VARIANTS.map(([name, about]) => `- **${name}**: ${about}`).join('\n'),
    '## Goals',
    floorTable(floorsOf(results.lines)),
    costsText(results.lines),
    ...sections,
    ...schedulersSection(results.lines),
  ];
  return { text: `${text.filter((part) => part !== '').join('\n\n')}\n`, charts };
}

function schedulersSection(lines: readonly ResultLine[]): string[] {
  const figures = figuresOf(lines);
  if (figures.length === 0) return [];
  const [header = [], ...rows] = schedulerTable(figures);
  return ['## IPVS schedulers', SCHEDULERS_READING, markdown(header, rows)];
}

function chartOf(name: string, lines: readonly ResultLine[]): Chart {
  const sizes = [...new Set(lines.map(({ size }) => size))].sort((a, b) => a - b);
  return {
    title: name,
    unit: name === 'frames' ? 'frames a second' : 'packets a second',
    groups: sizes.map((size) => ({
      label: size.toLocaleString('en-US'),
      bars: lines.filter((line) => line.size === size).map(({ variant, nsPerPacket }) => ({ variant, value: 1e9 / nsPerPacket })),
    })),
  };
}

function table(lines: readonly ResultLine[]): string {
  const rows = lines.map(({ bench, size, variant, nsPerPacket, min, p95, ratioToWasm, ratioToTwin }) => [
    bench,
    size.toLocaleString('en-US'),
    variant,
    `${nsPerPacket.toFixed(1)} (${min.toFixed(1)}-${p95.toFixed(1)})`,
    `${(1000 / nsPerPacket).toFixed(2)}`,
    ratioText(ratioToWasm),
    ratioText(ratioToTwin),
  ]);
  return markdown(['case', 'size', 'variant', 'ns, median (min-p95)', 'M/s', 'time / wasm', 'time / twin'], rows);
}

function ratioText(ratio: ResultLine['ratioToWasm']): string {
  return ratio === undefined ? '' : `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}-${ratio.max.toFixed(2)})`;
}

/** In which cases another variant is faster than WebAssembly, and in which none is. */
function whoWins(lines: readonly ResultLine[]): string {
  const losses = lines
    .filter(({ variant, ratioToWasm }) => !['wasm', 'wasm-single'].includes(variant) && (ratioToWasm?.median ?? 1) < 0.95)
    .map(
      ({ bench, size, variant, ratioToWasm }) =>
        `${variant} at ${bench} ${size.toLocaleString('en-US')} (${(1 / (ratioToWasm?.median ?? 1)).toFixed(1)} times as fast)`,
    );
  return losses.length === 0
    ? '**Wins:** WebAssembly in batches is the fastest in every row.'
    : `**WebAssembly in batches loses to:** ${losses.join('; ')}.`;
}

function floorTable(floors: readonly Floor[]): string {
  const rows = floors.map((floor) => {
    const met = isMet(floor);
    const reached = floor.reached === undefined ? 'not measured' : `${floor.reached.toFixed(1)} ${floor.unit}`;
    return [
      floor.goal,
      `${floor.isCeiling ? 'at most ' : ''}${floor.floor} ${floor.unit}`,
      reached,
      met === undefined ? '' : met ? 'yes' : '**no**',
    ];
  });
  return markdown(['goal (absolute ones: on a quiet machine)', 'floor', 'reached here', 'met'], rows);
}

/** Which part of the work costs what, as far as differences between questions tell. */
function costsText(lines: readonly ResultLine[]): string {
  const at = (bench: string, size: number, variant: string): number | undefined =>
    lines.find((line) => line.bench === bench && line.size === size && line.variant === variant)?.nsPerPacket;
  const parts = [1000, 100_000, 1_000_000].flatMap((size) => {
    const packet = at('established', size, 'wasm');
    const frame = at('frames', size, 'wasm');
    const single = at('established', size, 'wasm-single');
    if (packet === undefined) return [];
    const native = at('established', size, 'native-prefetch');
    const said = [`conntrack with state, timer and verdict takes ${packet.toFixed(1)} ns`];
    if (native !== undefined)
      said.push(`of which C with prefetch needs ${native.toFixed(1)} (it counts no rules and knows established connections alone)`);
    if (frame !== undefined) said.push(`parsing, copying and rewriting a frame add ${(frame - packet).toFixed(1)}`);
    if (single !== undefined) said.push(`a call for each packet adds ${(single - packet).toFixed(1)}`);
    return [`- ${size.toLocaleString('en-US')} connections: ${said.join('; ')}.`];
  });
  return parts.length === 0
    ? ''
    : ['**What costs what**, in nanoseconds a packet of the WebAssembly engine:', ...parts].join('\n\n').replaceAll('.\n\n-', '.\n-');
}

function markdown(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

if (process.argv[1]?.endsWith('document.ts')) {
  const [file] = process.argv.slice(2);
  if (file === undefined) {
    process.stderr.write('usage: npm run bench:document RESULTS.jsonl\n');
    process.exitCode = 2;
  } else {
    const { text, charts } = document(readResults(file));
    mkdirSync('docs/benchmarks', { recursive: true });
    writeFileSync('docs/benchmarks.md', text);
    for (const [name, svg] of charts) writeFileSync(`docs/benchmarks/${name}`, svg);
  }
}
