// The control plane at scale: how long until a cluster of 10,000 Services x 10 endpoints is in force, and how long from the change of one
// EndpointSlice, or of a whole Service, to the next packet? Each case has a process of its own.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ControlPlaneCase, ControlPlaneFigures } from './control-plane-child.ts';
import { alignColumns } from './report.ts';
import { median, type Summary, summarize } from './statistics.ts';

export const CONTROL_PLANE = 'control-plane';

const SERVICES = 10_000;
export const ENDPOINTS_PER_SERVICE = 10;
const SERVICES_SMOKE = 200;
const CHANGES = 200;
const CHANGES_SMOKE = 20;

export interface ControlPlane {
  readonly case: ControlPlaneCase;
  /** Milliseconds: medians of the starts. Of the stages, see ControlPlaneFigures. */
  readonly applyMs: number;
  readonly gcMs: number;
  readonly readMs: number;
  readonly stateMs: number;
  readonly compileMs: number;
  readonly tablesMs: number;
  readonly slice: Summary;
  readonly service: Summary;
  /** Of the tables in linear memory; absent for the TypeScript engine, and those of a rule in IPVS mode, whose tables are not made of rules. */
  readonly bytesPerRule?: number;
  readonly bytesPerEndpoint?: number;
  readonly rssMiB: number;
}

/** @throws Error when a change did not reach the next packet, or touched a connection. */
export async function measureControlPlane(isSmoke: boolean, starts: number, progress: (name: string) => void): Promise<ControlPlane[]> {
  const measured: ControlPlane[] = [];
  for (const one of casesOf(isSmoke)) {
    progress(`${one.mode} ${one.family} ${one.engine}`);
    // Goals are about IPv4 on the WebAssembly engine; the other rows are there to compare.
    measured.push(await measure(one, one.engine === 'wasm' && one.family === 'IPv4' ? starts : 1));
  }
  return measured;
}

type Variant = readonly [ControlPlaneCase['mode'], ControlPlaneCase['family'], ControlPlaneCase['engine']];

const VARIANTS: readonly Variant[] = (['iptables', 'nftables', 'ipvs'] as const).flatMap((mode): Variant[] => [
  [mode, 'IPv4', 'wasm'],
  [mode, 'IPv4', 'js'],
  [mode, 'IPv6', 'wasm'],
]);

const SMOKE_VARIANTS: readonly Variant[] = [
  ['iptables', 'IPv4', 'wasm'],
  ['nftables', 'IPv4', 'js'],
  ['ipvs', 'IPv6', 'wasm'],
];

function casesOf(isSmoke: boolean): ControlPlaneCase[] {
  const serviceCount = isSmoke ? SERVICES_SMOKE : SERVICES;
  const changeCount = isSmoke ? CHANGES_SMOKE : CHANGES;
  const variants = isSmoke ? SMOKE_VARIANTS : VARIANTS;
  return variants.map(([mode, family, engine]) => ({
    mode,
    family,
    engine,
    serviceCount,
    endpointsPerService: ENDPOINTS_PER_SERVICE,
    changeCount,
  }));
}

async function measure(one: ControlPlaneCase, starts: number): Promise<ControlPlane> {
  const child = fileURLToPath(new URL('./control-plane-child.ts', import.meta.url));
  const started: ControlPlaneFigures[] = [];
  for (let start = 0; start < starts; start++) {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', child, JSON.stringify(one)]);
    started.push(JSON.parse(stdout));
  }
  const middle = (read: (figures: ControlPlaneFigures) => number) => median(started.map(read));
  const [{ bytesPerRule, bytesPerEndpoint }] = started as [ControlPlaneFigures];
  return {
    case: one,
    applyMs: middle(({ applyMs }) => applyMs),
    gcMs: middle(({ gcMs }) => gcMs),
    readMs: middle(({ readMs }) => readMs),
    stateMs: middle(({ stateMs }) => stateMs),
    compileMs: middle(({ compileMs }) => compileMs),
    tablesMs: middle(({ tablesMs }) => tablesMs),
    slice: summarize(started.flatMap(({ sliceMs }) => sliceMs)),
    service: summarize(started.flatMap(({ serviceMs }) => serviceMs)),
    ...(bytesPerRule === undefined ? {} : { bytesPerRule }),
    ...(bytesPerEndpoint === undefined ? {} : { bytesPerEndpoint }),
    rssMiB: middle(({ rssMiB }) => rssMiB),
  };
}

export function controlPlaneLine({ case: one, slice, service, ...figures }: ControlPlane): string {
  const rounded = Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, round(value)]));
  return JSON.stringify({
    bench: `${CONTROL_PLANE}/${one.mode}-${one.family}`,
    variant: one.engine,
    size: one.serviceCount,
    min: round(slice.min),
    median: round(slice.median),
    p95: round(slice.p95),
    unit: 'ms/change',
    serviceMedian: round(service.median),
    ...rounded,
  });
}

export function controlPlaneText(measured: readonly ControlPlane[]): string {
  const [first] = measured;
  const header = [
    'mode',
    'family',
    'engine',
    'apply ms',
    'read',
    'state',
    'compile',
    'tables',
    'GC',
    'slice ms: min',
    'median',
    'p95',
    'Service ms',
    'B/rule',
    'B/endpoint',
    'RSS MiB',
  ];
  const rows = measured.map(({ case: one, slice, service, bytesPerRule, bytesPerEndpoint, rssMiB, ...ms }) => [
    one.mode,
    one.family,
    one.engine,
    ...[ms.applyMs, ms.readMs, ms.stateMs, ms.compileMs, ms.tablesMs, ms.gcMs].map((value) => value.toFixed(0)),
    slice.min.toFixed(2),
    slice.median.toFixed(2),
    slice.p95.toFixed(2),
    service.median.toFixed(2),
    bytesPerRule === undefined ? '' : bytesPerRule.toFixed(0),
    bytesPerEndpoint === undefined ? '' : bytesPerEndpoint.toFixed(0),
    rssMiB.toFixed(0),
  ]);
  return [
    `Control plane: how long until ${first?.case.serviceCount.toLocaleString('en-US')} Services x ${first?.case.endpointsPerService} endpoints are in force, and from a change to the next packet?\n`,
    alignColumns([header, ...rows], new Set([0, 1, 2])),
    '\nReading: `apply` is all of it from objects, cold. `read` to `tables` are its stages one after the other on a second engine, when V8 has seen all of it once;',
    '`GC` is what of `apply` the collector took.',
    '`slice` is one EndpointSlice losing or regaining an endpoint, `Service` one that comes or goes, each with the next packet.\n',
  ].join('\n');
}

function round(value: number): number {
  return Number(value.toFixed(3));
}
