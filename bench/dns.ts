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
  /** Queries that were sent again, because they or their answers were lost: in all rounds that count, and of so many. */
  readonly lost: number;
  readonly asked: number;
  /** Nanoseconds: one slice with an endpoint more or less. */
  readonly change: Summary;
}

/** Queries that are under way at once: enough to keep the server busy, and few enough for its receive buffer. */
const UNDER_WAY = 128;
const ROUND_QUERIES = 40_000;
const SMOKE_ROUND_QUERIES = 2000;
/** Rounds before those that count. */
const WARMUP_ROUNDS = 2;
/** The kernel drops what finds its buffer full, and a reply of 300 bytes takes 2 KB of it: as much room as it grants. */
const RECEIVE_BUFFER_BYTES = 1 << 22;
/** After this long without its answer a query is sent again, as resolvers do. */
const RESEND_MS = 1000;
/** A server that answers nothing for so many of these times is gone. */
const SILENT_RESENDS_MAX = 20;

/** @throws Error when an answer is wrong, or the server says nothing more */
export async function measureDns(smoke: boolean, roundCount: number): Promise<DnsFigures> {
  const serviceCount = smoke ? SMOKE_SERVICE_COUNT : SERVICE_COUNT;
  const child = fork(fileURLToPath(new URL('./dns-server.ts', import.meta.url)), [String(serviceCount), String(roundCount)], {
    execArgv: ['--max-old-space-size=4096', '--expose-gc', '--import', 'tsx'],
  });
  try {
    const [ready] = (await once(child, 'message')) as [DnsReady];
    const queries = dnsQueries(serviceCount);
    const samples: number[] = [];
    let lost = 0;
    const count = smoke ? SMOKE_ROUND_QUERIES : ROUND_QUERIES;
    for (let round = 0; round < WARMUP_ROUNDS + roundCount; round++) {
      const asked = await askAll(ready.port, queries, count);
      if (round < WARMUP_ROUNDS) continue;
      samples.push(asked.nsPerQuery);
      lost += asked.resentCount;
    }
    child.send('change');
    const [{ changeNs }] = (await once(child, 'message')) as [DnsTimes];
    const [load, udp, change] = [ready.loadNs, samples, changeNs].map(summarize) as [Summary, Summary, Summary];
    return { serviceCount, load, udp, change, lost, asked: roundCount * count };
  } finally {
    if (child.connected) child.disconnect();
  }
}

export interface Asked {
  readonly nsPerQuery: number;
  /** Queries sent again. */
  readonly resentCount: number;
}

/**
 * Asks `count` queries, some under way at all times. Datagrams get lost, above all when the machine is busy and a buffer runs full: a
 * query without an answer is sent again and counted. The id of a query is its place among them.
 */
export async function askAll(port: number, queries: readonly Buffer[], count: number, resendMs = RESEND_MS): Promise<Asked> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES });
  await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve));
  /** When each query under way was sent. */
  const sentAt = new Map<number, number>();
  const [state, start] = [{ sent: 0, answered: 0, resent: 0, silent: 0 }, process.hrtime.bigint()];
  const send = (id: number) => {
    sentAt.set(id, performance.now());
    const query = queries[id];
    if (query !== undefined) socket.send(query);
  };
  const sendNext = () => {
    if (state.sent < count) send(state.sent++ % queries.length);
  };
  let resend: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      resend = setInterval(() => {
        const late = [...sentAt].filter(([, at]) => performance.now() - at >= resendMs).map(([id]) => id);
        for (const id of late) send(id);
        state.resent += late.length;
        state.silent++;
        if (state.silent > SILENT_RESENDS_MAX) reject(new Error(`dns: ${count - state.answered} of ${count} queries are not answered`));
      }, resendMs);
      socket.on('message', (reply) => {
        // NOERROR, and an answer in it.
        if (((reply[3] ?? 0xf) & 0xf) !== 0 || (reply[7] ?? 0) === 0) return reject(new Error('dns: a wrong answer'));
        // The second answer to a query that was late.
        if (!sentAt.delete(reply.readUInt16BE(0))) return;
        state.answered++;
        state.silent = 0;
        if (state.answered === count) return resolve();
        sendNext();
      });
      for (let index = 0; index < UNDER_WAY; index++) sendNext();
    });
    return { nsPerQuery: Number(process.hrtime.bigint() - start) / count, resentCount: state.resent };
  } finally {
    clearInterval(resend);
    socket.close();
  }
}

export function dnsLines({ serviceCount, load, udp, change, lost, asked }: DnsFigures): string {
  const line = (name: string, unit: string, { min, median, p95 }: Summary, more: object = {}) =>
    JSON.stringify({
      bench: `${DNS}/${name}`,
      variant: 'js',
      size: serviceCount,
      nsPerPacket: Math.round(median),
      min: Math.round(min),
      median: Math.round(median),
      p95: Math.round(p95),
      unit,
      ...more,
    });
  return [line('load', 'ns', load), line('udp', 'ns/query', udp, { lost, asked }), line('change', 'ns', change)].join('\n');
}

export function dnsText({ serviceCount, load, udp, change, lost, asked }: DnsFigures): string {
  const ms = (ns: number) => `${(ns / 1e6).toFixed(ns < 1e7 ? 3 : 0)} ms`;
  const us = (ns: number) => `${(ns / 1e3).toFixed(1)} µs`;
  const row = (name: string, { min, median, p95 }: Summary, show: (ns: number) => string) => [name, show(min), show(median), show(p95)];
  const rows = [['', 'min', 'median', 'p95'], row('load', load, ms), row('query over UDP', udp, us), row('changed slice', change, ms)];
  const endpoints = (serviceCount * ENDPOINTS_PER_SERVICE).toLocaleString('en-US');
  return [
    `Cluster DNS: ${serviceCount.toLocaleString('en-US')} Services with ${endpoints} endpoints. What does it cost to load them, to answer over loopback UDP, to change a slice?\n`,
    `${alignColumns(rows, new Set([0]))}\n`,
    `Reading: ${Math.round(1e9 / udp.median).toLocaleString('en-US')} queries a second with one process that serves and one that asks; ${lost} of ${asked.toLocaleString('en-US')} queries were lost and sent again.\n`,
  ].join('\n');
}
