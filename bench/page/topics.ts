// The sections about what is not a stream of packets: the connection table, start-up, the control plane, the cluster, DNS, the heap.

import { type Figure, figuresNamed, numberOf, type Results } from '../results.ts';
import { figuresOf, SCHEDULERS_READING, schedulerTable } from '../schedulers.ts';
import { stackSvg } from './chart.ts';
import { count, figure, table } from './markdown.ts';
import type { Section } from './packets.ts';

export function topicSections(results: Results): Section[] {
  const { figures } = results;
  return [
    connectionTable(figures),
    startUp(figures),
    controlPlane(figures),
    cluster(figures),
    schedulers(results),
    dns(figures),
    heap(figures),
  ].filter(({ text }) => text !== '');
}

const NONE: Section = { text: '', charts: new Map() };

function section(title: string, parts: readonly string[], charts: ReadonlyMap<string, string> = new Map()): Section {
  return { text: [`## ${title}`, ...parts].join('\n\n'), charts };
}

function connectionTable(figures: readonly Figure[]): Section {
  const own = figuresNamed(figures, 'connection-table');
  if (own.length === 0) return NONE;
  const names = ['bytesPerConnection', 'longestPauseMs', 'usualPauseMs', 'nsPerNew', 'nsPerEstablished', 'nsPerEstablishedInFlood'];
  const rows = own.map((one) => {
    const [calm, flood] = [numberOf(one, 'nsPerEstablished'), numberOf(one, 'nsPerEstablishedInFlood')];
    const slowdown = calm === undefined || flood === undefined ? undefined : flood / calm;
    return [one.case ?? '', count(one.size), ...names.map((name) => figure(numberOf(one, name))), figure(slowdown)];
  });
  const header = [
    'family',
    'connections',
    'bytes each',
    'longest pause, ms',
    '999 of 1,000 below, ms',
    'new, ns',
    'established, ns',
    'in a flood, ns',
    'x',
  ];
  return section('Connection table', [
    'The WebAssembly engine by itself: what a connection takes with both directions and the index; the longest batch of 256 new connections while the table grows from nothing, first touch of memory included; ' +
      'and what packets of connections that stand cost while each of their batches alternates with one of a flood that fills the table. No other variant takes part.',
    table(header, rows),
  ]);
}

function startUp(figures: readonly Figure[]): Section {
  const own = figuresNamed(figures, 'start-up');
  if (own.length === 0) return NONE;
  const stages = ['importMs', 'createMs', 'applyMs', 'packetMs'] as const;
  const rows = own.map((one) => {
    const cells = ['min', 'median', 'p95', ...stages, 'nodeMs'].map((name) => figure(numberOf(one, name)));
    return [one.variant, ...cells];
  });
  const bars = own.map((one) => ({
    label: one.variant,
    parts: stages.map((stage) => [stage.slice(0, -2), numberOf(one, stage) ?? 0] as const),
  }));
  const chart = stackSvg({ title: 'start-up to the first verdict', unit: 'ms', bars });
  return section(
    'Start-up',
    [
      `From \`import\` to the verdict of the first packet, in ${own[0]?.size} fresh processes for each engine, with the package as npm installs it. What node takes before that stands beside it and is not in the sum.`,
      '![start-up by stage](benchmarks/start-up.svg)',
      table(['engine', 'min, ms', 'median', 'p95', 'import', 'create', 'apply', 'packet', 'node itself'], rows),
      fastest(own, 'median', 'starts'),
    ],
    new Map([['start-up.svg', chart]]),
  );
}

function controlPlane(figures: readonly Figure[]): Section {
  const own = figuresNamed(figures, 'control-plane');
  if (own.length === 0) return NONE;
  const rows = own.map((one) => {
    const cells = ['applyMs', 'min', 'median', 'p95', 'serviceMedian', 'bytesPerRule', 'bytesPerEndpoint', 'rssMiB'];
    return [one.bench.slice('control-plane/'.length), one.variant, ...cells.map((name) => figure(numberOf(one, name)))];
  });
  const stages = ['readMs', 'stateMs', 'compileMs', 'tablesMs'] as const;
  const bars = own.map((one) => ({
    label: `${one.bench.slice('control-plane/'.length)} ${one.variant}`,
    parts: stages.map((stage) => [stage.slice(0, -2), numberOf(one, stage) ?? 0] as const),
  }));
  const chart = stackSvg({ title: `stages of an apply, ${count(own[0]?.size ?? 0)} Services`, unit: 'ms', bars });
  const header = [
    'mode',
    'engine',
    'apply, ms',
    'slice: min, ms',
    'median',
    'p95',
    'Service, ms',
    'bytes a rule',
    'bytes an endpoint',
    'RSS, MiB',
  ];
  const byMode = [...new Set(own.map(({ bench }) => bench))].map((bench) => own.filter((one) => one.bench === bench));
  const contests = byMode
    .filter((mode) => mode.length > 1)
    .map(
      (mode) =>
        `${mode[0]?.bench.slice('control-plane/'.length)}: ${fastest(mode, 'applyMs', 'applies')} ${fastest(mode, 'median', 'changes')}`,
    );
  return section(
    'Control plane',
    [
      `${count(own[0]?.size ?? 0)} Services x 10 endpoints from objects, cold; then one EndpointSlice that loses or regains an endpoint, or a Service that goes or comes, each with the next packet, which is checked.`,
      '![stages of an apply](benchmarks/control-plane.svg)',
      table(header, rows),
      ...contests,
    ],
    new Map([['control-plane.svg', chart]]),
  );
}

/** Which variant has the lowest figure, where they differ by more than noise. */
function fastest(figures: readonly Figure[], name: string, verb: string): string {
  const [first, second] = figures.toSorted((a, b) => (numberOf(a, name) ?? Infinity) - (numberOf(b, name) ?? Infinity));
  const [best, other] = [numberOf(first, name), numberOf(second, name)];
  if (first === undefined || second === undefined || best === undefined || other === undefined) return '';
  if (other / best < 1.05) return `**No difference** between ${first.variant} and ${second.variant} that counts (${verb}).`;
  return `**${first.variant} ${verb} faster** than ${second.variant}, ${(other / best).toFixed(1)} times.`;
}

function cluster(figures: readonly Figure[]): Section {
  const own = figuresNamed(figures, 'cluster');
  if (own.length === 0) return NONE;
  const rows = own.map((one) => [
    one.bench.slice('cluster/'.length),
    ...['min', 'median', 'p95'].map((name) => figure(numberOf(one, name))),
  ]);
  return section('Embedded control plane', [
    `${count(own[0]?.size ?? 0)} Services and Deployments of 10 Pods: all of it from manifests, then events one by one. TypeScript alone.`,
    table(['', 'min, ms', 'median', 'p95'], rows),
  ]);
}

function schedulers({ lines }: Results): Section {
  const figures = figuresOf(lines);
  if (figures.length === 0) return NONE;
  const [header = [], ...rows] = schedulerTable(figures);
  return section('IPVS schedulers', [SCHEDULERS_READING, table(header, rows)]);
}

function dns(figures: readonly Figure[]): Section {
  const own = figuresNamed(figures, 'dns');
  if (own.length === 0) return NONE;
  const rows = own.map((one) => {
    const cells = ['min', 'median', 'p95'].map((name) => figure((numberOf(one, name) ?? Number.NaN) / 1000));
    return [one.bench.slice('dns/'.length), ...cells];
  });
  const udp = numberOf(
    own.find(({ bench }) => bench === 'dns/udp'),
    'median',
  );
  const speed = udp === undefined ? '' : ` ${count(Math.round(1e9 / udp))} queries a second: one process serves, one asks.`;
  return section('Cluster DNS', [
    `${count(own[0]?.size ?? 0)} Services with 10 endpoints each: all of it into an empty DNS, a query over loopback UDP, one changed slice. TypeScript alone.${speed}`,
    table(['', 'min, µs', 'median', 'p95'], rows),
  ]);
}

function heap(figures: readonly Figure[]): Section {
  const own = figures.find(({ bench }) => bench === 'allocation');
  if (own === undefined) return NONE;
  const [least, limit] = [numberOf(own, 'min'), numberOf(own, 'limit')];
  return section('The JavaScript heap', [
    `${count(own.size)} established packets leave ${least} bytes a packet behind in the calmest run; the benchmark fails above ${limit}. How evenly sh and mh share connections is told in [Maglev](maglev.md).`,
  ]);
}
