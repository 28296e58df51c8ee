// WebAssembly against TypeScript in one process: the same established connections through both engines, in turn.
// A first impression for `demo`; `npm run bench` gives each engine a process of its own and is the measurement to quote.
import type { Dataplane, PacketBatch } from '../dataplane-types.ts';
import type { Packet } from '../packet.ts';

const CONNECTIONS = 1024;
const FIRST_PORT = 20000;
const TCP_SYN_ACK = 18;
const TCP_ACK = 16;
const ROUND_MS = 50;

export interface DuelResult {
  /** Median nanoseconds a packet, in the order of the dataplanes. */
  readonly nsPerPacket: readonly number[];
  readonly connections: number;
  readonly rounds: number;
}

/** Lets the dataplanes work in alternating rounds for so many seconds. `first`: the first packet of a connection. */
export function duel(dataplanes: readonly Dataplane[], first: Packet, seconds: number): DuelResult {
  const batches = dataplanes.map((dataplane) => establish(dataplane, first));
  const times: number[][] = dataplanes.map(() => []);
  const end = performance.now() + seconds * 1000;
  let rounds = 0;
  while (rounds === 0 || performance.now() < end) {
    for (const [index, dataplane] of dataplanes.entries()) {
      const batch = batches[index];
      if (batch !== undefined) times[index]?.push(nsOfRound(dataplane, batch, Math.min(ROUND_MS, (seconds * 1000) / 4)));
    }
    rounds++;
  }
  return { nsPerPacket: times.map(median), connections: CONNECTIONS, rounds };
}

function nsOfRound(dataplane: Dataplane, batch: PacketBatch, durationMs: number): number {
  const start = performance.now();
  let packets = 0;
  let elapsed = 0;
  do {
    dataplane.processBatch(batch);
    packets += batch.count;
    elapsed = performance.now() - start;
  } while (elapsed < durationMs);
  return (elapsed * 1e6) / packets;
}

/** Opens the connections, and returns a batch of later packets of them. */
function establish(dataplane: Dataplane, first: Packet): PacketBatch {
  const family = first.source.includes(':') ? 'IPv6' : 'IPv4';
  const batch = dataplane.createBatch(CONNECTIONS, { family });
  batch.count = CONNECTIONS;
  const packets = Array.from({ length: CONNECTIONS }, (_, index) => ({ ...first, sourcePort: FIRST_PORT + index }));
  for (const [index, packet] of packets.entries()) batch.set(index, packet);
  dataplane.processBatch(batch);
  for (const [index, packet] of packets.entries()) batch.set(index, replyTo(packet, batch, index));
  dataplane.processBatch(batch);
  for (const [index, packet] of packets.entries()) batch.set(index, { ...packet, tcpFlags: TCP_ACK });
  dataplane.processBatch(batch);
  return batch;
}

function replyTo({ protocol }: Packet, batch: PacketBatch, index: number): Packet {
  const { translated } = batch.verdict(index);
  return {
    protocol,
    source: translated.destination,
    sourcePort: translated.destinationPort,
    destination: translated.source,
    destinationPort: translated.sourcePort,
    tcpFlags: TCP_SYN_ACK,
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
