// The control plane at scale: how long until a cluster of 10,000 Services x 10 endpoints is in force, and how long from the change of one
// EndpointSlice, or of a whole Service, to the next packet? Each case has a process of its own.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ControlPlaneCase, ControlPlaneFigures } from './control-plane-child.ts';
import { alignColumns } from './report.ts';
import { type Summary, summarize } from './statistics.ts';

export const CONTROL_PLANE = 'control-plane';

const SERVICES = 10_000;
const SERVICES_SMOKE = 200;
const CHANGES = 200;
const CHANGES_SMOKE = 20;

export interface ControlPlane {
  readonly case: ControlPlaneCase;
  /** Milliseconds. */
  readonly applyMs: number;
  readonly tablesMs: number;
  readonly slice: Summary;
  readonly service: Summary;
  /** Of the tables in linear memory; absent for the TypeScript engine. */
  readonly bytesPerRule?: number;
  readonly bytesPerEndpoint?: number;
  readonly rssMiB: number;
}

/** @throws Error when a change did not reach the next packet, or touched a connection. */
export async function measureControlPlane(isSmoke: boolean, progress: (name: string) => void): Promise<ControlPlane[]> {
  const measured: ControlPlane[] = [];
  for (const one of casesOf(isSmoke)) {
    progress(`${one.mode} ${one.family} ${one.engine}`);
    measured.push(await measure(one));
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
  return variants.map(([mode, family, engine]) => ({ mode, family, engine, serviceCount, endpointsPerService: 10, changeCount }));
}

async function measure(one: ControlPlaneCase): Promise<ControlPlane> {
  const child = fileURLToPath(new URL('./control-plane-child.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', child, JSON.stringify(one)]);
  const figures: ControlPlaneFigures = JSON.parse(stdout);
  return { ...figures, case: one, slice: summarize(figures.sliceMs), service: summarize(figures.serviceMs) };
}

export function controlPlaneLine({
  case: one,
  applyMs,
  tablesMs,
  slice,
  service,
  bytesPerRule,
  bytesPerEndpoint,
  rssMiB,
}: ControlPlane): string {
  return JSON.stringify({
    bench: `${CONTROL_PLANE}/${one.mode}-${one.family}`,
    variant: one.engine,
    size: one.serviceCount,
    min: round(slice.min),
    median: round(slice.median),
    p95: round(slice.p95),
    unit: 'ms/change',
    applyMs: round(applyMs),
    tablesMs: round(tablesMs),
    serviceMedian: round(service.median),
    ...(bytesPerRule === undefined ? {} : { bytesPerRule: round(bytesPerRule) }),
    ...(bytesPerEndpoint === undefined ? {} : { bytesPerEndpoint: round(bytesPerEndpoint) }),
    rssMiB: round(rssMiB),
  });
}

export function controlPlaneText(measured: readonly ControlPlane[]): string {
  const [first] = measured;
  const header = [
    'mode',
    'family',
    'engine',
    'apply ms',
    'tables ms',
    'slice ms: min',
    'median',
    'p95',
    'Service ms',
    'B/rule',
    'B/endpoint',
    'RSS MiB',
  ];
  const rows = measured.map(({ case: one, applyMs, tablesMs, slice, service, bytesPerRule, bytesPerEndpoint, rssMiB }) => [
    one.mode,
    one.family,
    one.engine,
    applyMs.toFixed(0),
    tablesMs.toFixed(1),
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
    '\nReading: `apply` is all of it from objects, cold; `tables` the part that makes tables, or loaded rules, of the Program.',
    '`slice` is one EndpointSlice losing or regaining an endpoint, `Service` one that comes or goes, each with the next packet.\n',
  ].join('\n');
}

function round(value: number): number {
  return Number(value.toFixed(3));
}
