// Cluster DNS: how long does a large cluster take to load, how many queries does the server answer over loopback UDP, and what does
// one changed slice cost? One process serves, this one asks.
import { fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { DnsReady, DnsTimes } from './dns-server.ts';
import { dnsQueries, ENDPOINTS_PER_SERVICE, SERVICE_COUNT, SMOKE_SERVICE_COUNT } from './dns-workload.ts';
import { alignColumns } from './report.ts';
import { type Summary, summarize } from './statistics.ts';

export const DNS = 'dns';

export interface DnsFigures {
  readonly serviceCount: number;
  /** Nanoseconds: all objects into an empty DNS. */
  readonly load: Summary;
  /** Nanoseconds a query, over UDP, round by round. */
  readonly udp: Summary;
  /** Nanoseconds: one slice with an endpoint more or less. */
  readonly change: Summary;
}

/** Queries that are under way at once: enough to keep the server busy, and few enough for its receive buffer. */
const UNDER_WAY = 128;
const ROUND_QUERIES = 40_000;
const SMOKE_ROUND_QUERIES = 2000;
/** Rounds before those that count. */
const WARMUP_ROUNDS = 2;
/** After this long without an answer, what is under way counts as lost. */
const LOST_MS = 10_000;

/** @throws Error when an answer is wrong or lost */
export async function measureDns(smoke: boolean, roundCount: number): Promise<DnsFigures> {
  const serviceCount = smoke ? SMOKE_SERVICE_COUNT : SERVICE_COUNT;
  const child = fork(fileURLToPath(new URL('./dns-server.ts', import.meta.url)), [String(serviceCount), String(roundCount)], {
    execArgv: ['--max-old-space-size=4096', '--expose-gc', '--import', 'tsx'],
  });
  try {
    const [ready] = (await once(child, 'message')) as [DnsReady];
    const queries = dnsQueries(serviceCount);
    const samples: number[] = [];
    for (let round = 0; round < WARMUP_ROUNDS + roundCount; round++) {
      const nsPerQuery = await askAll(ready.port, queries, smoke ? SMOKE_ROUND_QUERIES : ROUND_QUERIES);
      if (round >= WARMUP_ROUNDS) samples.push(nsPerQuery);
    }
    child.send('change');
    const [{ changeNs }] = (await once(child, 'message')) as [DnsTimes];
    return { serviceCount, load: summarize(ready.loadNs), udp: summarize(samples), change: summarize(changeNs) };
  } finally {
    if (child.connected) child.disconnect();
  }
}

/** Asks `count` queries, some under way at all times; nanoseconds a query. */
async function askAll(port: number, queries: readonly Buffer[], count: number): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve));
  let sent = 0;
  let answered = 0;
  const send = () => {
    const query = queries[sent % queries.length];
    if (sent < count && query !== undefined) socket.send(query);
    sent++;
  };
  const start = process.hrtime.bigint();
  const done = new Promise<void>((resolve, reject) => {
    const lost = setTimeout(() => reject(new Error(`dns: ${count - answered} of ${count} queries were not answered`)), LOST_MS);
    socket.on('message', (reply) => {
      // NOERROR, and an answer in it.
      if (((reply[3] ?? 0xf) & 0xf) !== 0 || (reply[7] ?? 0) === 0) reject(new Error('dns: a wrong answer'));
      answered++;
      if ((answered & 0xff) === 0) lost.refresh();
      if (answered < count) return send();
      clearTimeout(lost);
      resolve();
    });
    for (let index = 0; index < UNDER_WAY; index++) send();
  });
  try {
    await done;
    return Number(process.hrtime.bigint() - start) / count;
  } finally {
    socket.close();
  }
}

export function dnsLines({ serviceCount, load, udp, change }: DnsFigures): string {
  const line = (name: string, unit: string, { min, median, p95 }: Summary) =>
    JSON.stringify({
      bench: `${DNS}/${name}`,
      variant: 'js',
      size: serviceCount,
      nsPerPacket: Math.round(median),
      min: Math.round(min),
      median: Math.round(median),
      p95: Math.round(p95),
      unit,
    });
  return [line('load', 'ns', load), line('udp', 'ns/query', udp), line('change', 'ns', change)].join('\n');
}

export function dnsText({ serviceCount, load, udp, change }: DnsFigures): string {
  const ms = (ns: number) => `${(ns / 1e6).toFixed(ns < 1e7 ? 3 : 0)} ms`;
  const us = (ns: number) => `${(ns / 1e3).toFixed(1)} µs`;
  const row = (name: string, { min, median, p95 }: Summary, show: (ns: number) => string) => [name, show(min), show(median), show(p95)];
  const rows = [['', 'min', 'median', 'p95'], row('load', load, ms), row('query over UDP', udp, us), row('changed slice', change, ms)];
  const endpoints = (serviceCount * ENDPOINTS_PER_SERVICE).toLocaleString('en-US');
  return [
    `Cluster DNS: ${serviceCount.toLocaleString('en-US')} Services with ${endpoints} endpoints. What does it cost to load them, to answer over loopback UDP, to change a slice?\n`,
    `${alignColumns(rows, new Set([0]))}\n`,
    `Reading: ${Math.round(1e9 / udp.median).toLocaleString('en-US')} queries a second with one process that serves and one that asks.\n`,
  ].join('\n');
}
