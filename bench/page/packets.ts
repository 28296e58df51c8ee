// The sections about packets: a chart and a table for each question, what the others leave out, and who wins.
import { TWIN_LEAVES_OUT } from '../new-connections.ts';
import type { ResultLine } from '../results.ts';
import { type Chart, chartSvg } from './chart.ts';
import { count, table } from './markdown.ts';

/** A part of the page, and its charts by file name. */
export interface Section {
  readonly text: string;
  readonly charts: ReadonlyMap<string, string>;
}

interface PacketSection {
  readonly bench: string;
  readonly title: string;
  readonly about: string;
  /** What `size` counts. */
  readonly sizeOf: string;
}

const SECTIONS: readonly PacketSection[] = [
  {
    bench: 'established',
    title: 'Established connections',
    sizeOf: 'connections',
    about:
      'Packets of connections that stand, drawn uniformly: the worst case for caches. All keep state, timer and counters. The twins keep no timers by which entries leave and count no rules; ' +
      'C knows no rules.',
  },
  {
    bench: 'frames',
    title: 'Frames',
    sizeOf: 'connections',
    about:
      'Ethernet frames of established connections: parsed, decided, copied to the transmit ring and rewritten, checksums and counters included. The twin and C know plain Ethernet, IPv4 without options and TCP alone: ' +
      'no VLAN tags, no fragments, no ICMP errors, no other protocols.',
  },
  {
    bench: 'new-connections',
    title: 'New connections',
    sizeOf: 'connections',
    about: `Each packet begins a connection: rules or look-up, choice of a backend, two tuples entered. \`beside\`: 65,536 begin beside 1,000,000 that stand. iptables has 10 Services (it scans them), nftables and IPVS 1,000, with 10 endpoints each. ${TWIN_LEAVES_OUT}`,
  },
  {
    bench: 'scan-rules',
    title: 'Rules, scanned to the last',
    sizeOf: 'rules',
    about:
      'The first packet of a connection past all rules of one chain, from a dump of iptables-save: `exact` rules name one address and port, `masked` ones a /28 and 16 ports. ' +
      'The twin and C scan columns of exactly these fields, and leave out the same as with new connections.',
  },
  {
    bench: 'scan-or-lookup',
    title: 'Scan or look-up',
    sizeOf: 'Services',
    about:
      'The first packet of a connection among 10 to 50,000 Services, to any of them or to the last: iptables mode scans, IPVS looks up. The twin leaves out the same as with new connections.',
  },
];

export function packetSections(lines: readonly ResultLine[]): Section[] {
  return SECTIONS.flatMap((section) => {
    const own = lines.filter(({ bench }) => bench === section.bench || bench.startsWith(`${section.bench}/`));
    return own.length === 0 ? [] : [packetSection(section, own)];
  });
}

function packetSection({ bench, title, about, sizeOf }: PacketSection, lines: readonly ResultLine[]): Section {
  const charts = new Map<string, string>();
  const cases = [...new Set(lines.map((line) => line.bench))];
  const pictures = cases.map((name) => {
    const file = `${name.replaceAll('/', '-')}.svg`;
    const own = lines.filter((line) => line.bench === name);
    charts.set(file, chartSvg(chartOf(name, bench === 'frames' ? 'frames a second' : 'packets a second', own)));
    return `![${name}, by ${sizeOf}](benchmarks/${file})`;
  });
  return { text: [`## ${title}`, about, ...pictures, lineTable(lines, sizeOf), whoWins(lines)].join('\n\n'), charts };
}

function chartOf(title: string, unit: string, lines: readonly ResultLine[]): Chart {
  const sizes = [...new Set(lines.map(({ size }) => size))].sort((a, b) => a - b);
  return {
    title,
    unit,
    groups: sizes.map((size) => ({
      label: count(size),
      bars: lines.filter((line) => line.size === size).map(({ variant, nsPerPacket }) => ({ variant, value: 1e9 / nsPerPacket })),
    })),
  };
}

function lineTable(lines: readonly ResultLine[], sizeOf: string): string {
  const rows = lines.map(({ bench, size, variant, nsPerPacket, min, p95, ratioToWasm, ratioToTwin }) => [
    bench,
    count(size),
    variant,
    `${nsPerPacket.toFixed(1)} (${min.toFixed(1)}-${p95.toFixed(1)})`,
    `${(1000 / nsPerPacket).toFixed(2)}`,
    ratioText(ratioToWasm),
    ratioText(ratioToTwin),
  ]);
  return table(['case', sizeOf, 'variant', 'ns, median (min-p95)', 'M/s', 'time / wasm', 'time / twin'], rows);
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
        `${variant} at ${bench} ${count(size)} (${(1 / (ratioToWasm?.median ?? 1)).toFixed(1)} times as fast)`,
    );
  return losses.length === 0
    ? '**Wins:** WebAssembly in batches is the fastest in every row.'
    : `**WebAssembly in batches loses to:** ${losses.join('; ')}.`;
}
