// Which part of the work costs what, in nanoseconds of the WebAssembly engine: differences between workloads that differ in one part.
import { ENDPOINTS_PER_SERVICE } from '../control-plane.ts';
import { COST_PARTS } from '../cost-parts.ts';
import { NATIVE_PARTS } from '../native-parts.ts';
import { type Figure, figuresNamed, numberOf, type Results } from '../results.ts';
import { count, figure, table } from './markdown.ts';
import type { Section } from './packets.ts';
import { profileSection } from './profile.ts';

type Cost = (bench: string, size: number, variant?: string) => number | undefined;

const FLOWS = [1000, 100_000, 1_000_000] as const;
const MILLION = 1_000_000;

export function costsSection({ lines, figures }: Results): Section[] {
  const at: Cost = (bench, size, variant = 'wasm') =>
    lines.find((line) => line.bench === bench && line.size === size && line.variant === variant)?.nsPerPacket;
  const profile = profileSection(figures);
  const parts = [
    establishedCosts(at),
    nativeCosts(figures),
    frameCosts(at),
    newCosts(at),
    scanCosts(at),
    profile.text,
    applyCosts(figures),
  ].filter((text) => text !== '');
  if (parts.length === 0) return [];
  return [{ text: ['## Which part costs what', INTRODUCTION, ...parts].join('\n\n'), charts: profile.charts }];
}

const INTRODUCTION =
  'Of the WebAssembly engine, from this run: each figure is the difference between two workloads that differ in that part alone, so the noise of both is in it; one below zero is noise. Nanoseconds a packet.';

/** What is left when the second is taken away. */
function minus(whole: number | undefined, part: number | undefined): number | undefined {
  return whole === undefined || part === undefined ? undefined : whole - part;
}

function establishedCosts(at: Cost): string {
  const cached = at(part('established, all in the first cache'), 64);
  const rows = FLOWS.flatMap((size) => {
    const whole = at('established', size);
    if (whole === undefined) return [];
    const plain = at(part('established, to no Service'), size);
    const ipvs = at(part('established, of IPVS'), size);
    const single = at('established', size, 'wasm-single');
    const native = at('established', size, 'native-prefetch');
    const columns = [whole, cached, minus(whole, cached), minus(whole, plain), minus(ipvs, whole), minus(single, whole), native];
    return [[count(size), ...columns.map(figure)]];
  });
  if (rows.length === 0) return '';
  const header = [
    'connections',
    'a packet',
    'work (all in the first cache)',
    'waiting for memory',
    'Service: translation, its name',
    "IPVS's own entry",
    'a call for each packet',
    'C with prefetch',
  ];
  return `### Established connections\n\nHash and look-up, TCP state, timer, counters, verdict and rule count are one loop: what they take without any wait for memory stands under *work*.\n\n${table(header, rows)}`;
}

/** The parts of the same loop in C, which can be told apart there. */
function nativeCosts(figures: Results['figures']): string {
  const rows = figuresNamed(figures, NATIVE_PARTS).map((one) => {
    return [count(one.size), ...['hash', 'lookUp', 'upkeep', 'verdict'].map((name) => figure(numberOf(one, name)))];
  });
  if (rows.length === 0) return '';
  const header = ['connections', 'hash', 'look-up of the tuple', 'state, timer, counters', 'verdict'];
  return `The same work in C with prefetch on the same kind of table, where the parts can be told apart by leaving out the later ones; the look-up is where it waits for memory:\n\n${table(header, rows)}`;
}

function frameCosts(at: Cost): string {
  const rows = FLOWS.flatMap((size) => {
    const whole = at('frames', size);
    if (whole === undefined) return [];
    const plain = at(part('frame, of no Service, in place'), size);
    const inPlace = at(part('frame, in place'), size);
    const record = at(part('established, to no Service'), size);
    return [[count(size), ...[whole, record, minus(plain, record), minus(inPlace, plain), minus(whole, inPlace)].map(figure)]];
  });
  if (rows.length === 0) return '';
  const header = [
    'connections',
    'a frame',
    'conntrack and verdict',
    'parsing and checks',
    'translation: addresses, ports, checksums, traffic of the Service',
    'copy to the transmit ring',
  ];
  return `### Frames\n\n${table(header, rows)}`;
}

function newCosts(at: Cost): string {
  const plain = at(part('new, to no Service'), 0);
  const plainBeside = at(part('new, to no Service'), MILLION);
  const rows = (['iptables random', 'nftables random', 'ipvs rr', 'ipvs mh'] as const).flatMap((mode) => {
    const empty = at(part(`new, ${mode}`), 0);
    const beside = at(`new-connections/${mode.replaceAll(' ', '-')}-beside`, MILLION);
    if (beside === undefined) return [];
    const memory = minus(plainBeside, plain);
    const columns = [beside, plain, minus(empty, plain), memory, minus(minus(beside, empty), memory)];
    return [[mode, ...columns.map(figure)]];
  });
  if (rows.length === 0) return '';
  const header = [
    'mode',
    'a new connection beside 1,000,000',
    'conntrack: look-up, entry, filter chains',
    "Service: rules or look-up, choice, IPVS's entry",
    "conntrack's wait for memory",
    "the Service's wait for memory",
  ];
  return `### New connections\n\n${table(header, rows)}`;
}

function scanCosts(at: Cost): string {
  const [fewest, most] = [10, 50_000];
  const rows = (['exact', 'masked'] as const).flatMap((kind) => {
    const [few, many] = [at(`scan-rules/${kind}`, fewest), at(`scan-rules/${kind}`, most)];
    const [twinFew, twinMany] = [at(`scan-rules/${kind}`, fewest, 'twin'), at(`scan-rules/${kind}`, most, 'twin')];
    if (few === undefined || many === undefined) return [];
    const aRule = (total: number | undefined) => (total === undefined ? '–' : (total / (most - fewest)).toFixed(3));
    return [[kind, figure(many), figure(few), aRule(minus(many, few)), aRule(minus(twinMany, twinFew))]];
  });
  if (rows.length === 0) return '';
  return `### Scans\n\n${table(['rules', 'past 50,000', 'past 10: all but the scan', 'a rule', 'a rule, twin'], rows)}`;
}

function applyCosts(figures: Results['figures']): string {
  const rows = figuresNamed(figures, 'control-plane').map((one) => {
    const name = one.bench.slice('control-plane/'.length);
    const stages = ['applyMs', 'readMs', 'stateMs', 'compileMs', 'tablesMs', 'gcMs'].map((stage) => figure(numberOf(one, stage)));
    return [name, one.variant, ...stages, figure(tableMegabytes(one))];
  });
  if (rows.length === 0) return '';
  const header = [
    'mode',
    'engine',
    'apply, ms',
    'read and check objects',
    'state',
    'compile',
    'tables',
    'garbage collection',
    'size of the tables, MB',
  ];
  return `### Apply\n\nThe first apply is cold; its stages are measured one after the other afterwards, when V8 has seen all of it once, so they add up to less. Garbage collection is part of the apply. The tables are written into memory that nobody has touched before, which the system clears page by page: that alone is a good part of the 5 ms they are meant to take.\n\n${table(header, rows)}`;
}

function tableMegabytes(one: Figure): number | undefined {
  const bytes = numberOf(one, 'bytesPerEndpoint');
  return bytes === undefined ? undefined : (bytes * one.size * ENDPOINTS_PER_SERVICE) / 1e6;
}

function part(name: string): string {
  return `${COST_PARTS}/${name.replaceAll(' ', '-')}`;
}
