// What a replay did, in words and columns.
import type { FrameKind } from '../engine/frame-ring.ts';
import type { ReplaySummary, TrafficSummary } from '../frames/replay-summary.ts';
import { formatTable } from './table.ts';

const KINDS: Readonly<Partial<Record<FrameKind, string>>> = {
  related: 'ICMP errors about tracked connections, translated',
  unrelated: 'ICMP errors about no tracked connection',
  notIP: 'no IP',
  otherProtocol: 'other IP protocols and ICMP messages',
  fragment: 'IP fragments, which are not reassembled',
  truncated: 'shorter than their headers say',
  malformed: 'malformed headers',
  badChecksum: 'IPv4 headers with a wrong checksum',
};

export function replayText(summary: ReplaySummary, file: string | undefined): string {
  const { frames, durationMs, passed, dropped, rejected, servicePorts, kinds, connections } = summary;
  const said = `${count(frames, 'frame')} in ${(durationMs / 1000).toFixed(3)} s: ${passed} passed, ${dropped} dropped, ${rejected} rejected`;
  const written = file === undefined ? '' : `; written to ${file === '-' ? 'standard output' : file}`;
  const others = Object.entries(KINDS).flatMap(([kind, text]) => {
    const times = kinds[kind as FrameKind] ?? 0;
    return times === 0 ? [] : [[String(times), text]];
  });
  return [
    `${said}; ${count(connections, 'connection')} tracked at the end${written}.\n`,
    servicePorts.length === 0 ? '\nNo packet met a Service.\n' : `\n${servicePortTable(summary)}`,
    others.length === 0 ? '' : `\nFRAMES THAT ARE NO PACKETS OF A CONNECTION\n${formatTable([], others)}`,
  ].join('');
}

function servicePortTable({ servicePorts }: ReplaySummary): string {
  const header = ['SERVICE PORT', 'CONNECTIONS', 'PACKETS', 'BYTES', 'REPLIES', 'REPLY BYTES', 'DROPPED', 'REJECTED'];
  const rows = servicePorts.flatMap((one) => [
    [
      `${one.servicePort}${one.protocol === undefined ? '' : ` (${one.protocol})`}`,
      ...traffic(one),
      String(one.dropped),
      String(one.rejected),
    ],
    ...one.backends.map((backend) => [`  ${backend.backend}`, ...traffic(backend), '', '']),
  ]);
  return formatTable(header, rows);
}

function traffic({ connections, packets, bytes, replyPackets, replyBytes }: TrafficSummary): string[] {
  return [connections, packets, bytes, replyPackets, replyBytes].map(String);
}

function count(times: number, what: string): string {
  return `${times} ${what}${times === 1 ? '' : 's'}`;
}
