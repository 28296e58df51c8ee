// The connection table of the WebAssembly engine by itself, for both families: what a connection takes of memory, how long growing
// pauses at most, what one of its packets costs, and what a flood of new connections does to those that stand. One process, no rounds.
import { createDataplaneSync, type Dataplane, PACKET_LAYOUT, type PacketBatch, RECORD_CODES, VERDICT_LAYOUT } from 'svcplane';
import { CLOCKS } from './clocks.ts';
import { TCP_ACK, TCP_SYN, TCP_SYN_ACK } from './packets.ts';
import { alignColumns } from './report.ts';
import { median } from './statistics.ts';
import { Chooser } from './workload.ts';

export const CONNECTION_TABLE = 'connection-table';
export const TABLE_SIZES: readonly number[] = [1024, 1_048_576];
export const TABLE_SMOKE_SIZES: readonly number[] = [1024];

type Family = 'IPv4' | 'IPv6';

export interface TableFigures {
  readonly family: Family;
  /** Connections that stand, whole batches. */
  readonly size: number;
  /** Of both directions, the index included. */
  readonly bytesPerConnection: number;
  /** Of the batches that began connections while the table grew from nothing to its size: the longest, and what 999 of 1,000 stay below. */
  readonly longestPauseMs: number;
  readonly usualPauseMs: number;
  /** Time of one more packet of a connection that stands, and of a packet that begins one. */
  readonly nsPerEstablished: number;
  readonly nsPerNew: number;
  /** The same as nsPerEstablished while each batch alternates with one of a flood that fills the table. */
  readonly nsPerEstablishedInFlood: number;
}

const BATCH = 256;
/** Room for the flood, which is larger and has to drop the oldest of its own: when a packet of it comes again, it is new again. */
const FLOOD_ROOM = 8192;
/** Opened once before anything counts: V8 has optimized by then. */
const WARMUP_SIZE = 16_384;
const PASS_BATCHES = 256;
const PASSES = 15;
const SEED = 7;

/** @throws Error when a connection that stands is lost: a figure would mean nothing then */
export function measureConnectionTables(sizes: readonly number[]): TableFigures[] {
  for (const family of ['IPv4', 'IPv6'] as const) measureTable(family, WARMUP_SIZE);
  return (['IPv4', 'IPv6'] as const).flatMap((family) => sizes.map((size) => measureTable(family, size)));
}

function measureTable(family: Family, size: number): TableFigures {
  const options = { engine: 'wasm', seed: SEED, nodeIPs: ['192.168.0.11', 'fd00::11'], conntrackMax: size + FLOOD_ROOM } as const;
  using dataplane = createDataplaneSync({ ...options, now: () => 1000 });
  const traffic = new Traffic(dataplane, family);
  const opened = open(traffic, size);
  const bytesPerConnection = (dataplane.counters().memory?.connections ?? Number.NaN) / size;

  const chooser = new Chooser(SEED);
  const standing = Array.from({ length: PASS_BATCHES }, () => traffic.batch(() => chooser.below(size), TCP_ACK));
  const flood = Array.from({ length: PASS_BATCHES }, (_, number) => traffic.batch(from(size + number * BATCH), TCP_SYN));
  const calm = Array.from({ length: PASSES }, () => pass(dataplane, standing));
  const inFlood = Array.from({ length: PASSES }, () => pass(dataplane, standing, flood));
  traffic.expectEstablished(standing);
  const perPacket = PASS_BATCHES * BATCH;
  return {
    family,
    size,
    bytesPerConnection,
    ...opened,
    nsPerEstablished: median(calm) / perPacket,
    nsPerEstablishedInFlood: median(inFlood) / perPacket,
  };
}

/** Time of the batches, batch by batch; a batch of `between` before each of them takes time of its own. */
function pass(dataplane: Dataplane, batches: readonly PacketBatch[], between?: readonly PacketBatch[]): number {
  let ns = 0;
  batches.forEach((batch, number) => {
    const other = between?.[number];
    if (other !== undefined) dataplane.processBatch(other);
    ns += ownNs(() => dataplane.processBatch(batch));
  });
  return ns;
}

/** The flow of a batch's packet. */
type FlowAt = (index: number) => number;

function from(first: number): FlowAt {
  return (index) => first + index;
}

/** Opens the connections, batch by batch: SYN, SYN+ACK, ACK. */
function open(traffic: Traffic, size: number): Pick<TableFigures, 'longestPauseMs' | 'usualPauseMs' | 'nsPerNew'> {
  const begin = traffic.batch(from(0), TCP_SYN);
  const follow = traffic.batch(from(0), TCP_SYN);
  const took: number[] = [];
  for (let first = 0; first < size; first += BATCH) {
    const flows = from(first);
    traffic.write(begin, flows, TCP_SYN);
    took.push(ownNs(() => traffic.dataplane.processBatch(begin)));
    for (const tcpFlags of [TCP_SYN_ACK, TCP_ACK]) {
      traffic.write(follow, flows, tcpFlags);
      traffic.dataplane.processBatch(follow);
    }
  }
  const sorted = took.toSorted((a, b) => a - b);
  const usual = sorted[Math.ceil(sorted.length * 0.999) - 1] ?? Number.NaN;
  return { longestPauseMs: (sorted.at(-1) ?? Number.NaN) / 1e6, usualPauseMs: usual / 1e6, nsPerNew: median(took) / BATCH };
}

/** Packets that the node forwards as they are: flow n has a source of its own, all go to one server. */
class Traffic {
  readonly dataplane: Dataplane;
  readonly #family: Family;

  constructor(dataplane: Dataplane, family: Family) {
    this.dataplane = dataplane;
    this.#family = family;
  }

  batch(flowAt: FlowAt, tcpFlags: number): PacketBatch {
    const batch = this.dataplane.createBatch(BATCH, { family: this.#family });
    this.write(batch, flowAt, tcpFlags);
    return batch;
  }

  write(batch: PacketBatch, flowAt: FlowAt, tcpFlags: number): void {
    const layout = PACKET_LAYOUT[this.#family];
    const { words } = batch;
    const isReply = tcpFlags === TCP_SYN_ACK;
    const [client, server] = isReply ? [layout.destinationWord, layout.sourceWord] : [layout.sourceWord, layout.destinationWord];
    for (let index = 0; index < BATCH; index++) {
      const flow = flowAt(index);
      const at = index * layout.words;
      words[at + client] = CLIENT_NETWORK;
      words[at + client + layout.addressWords - 1] = ((flow >>> 15) * 2 + 1) * CLIENT_STEP + CLIENT_NETWORK;
      words[at + server] = SERVER_NETWORK;
      words[at + server + layout.addressWords - 1] = SERVER_NETWORK;
      const port = 1024 + (flow & 0x7fff);
      words[at + layout.portsWord] = isReply ? (port * 0x1_0000 + SERVER_PORT) >>> 0 : port + SERVER_PORT * 0x1_0000;
      words[at + layout.protocolWord] = RECORD_CODES.protocol.TCP;
      words[at + layout.tcpFlagsByte / 4] = tcpFlags;
    }
    batch.count = BATCH;
  }

  expectEstablished(batches: readonly PacketBatch[]): void {
    const layout = VERDICT_LAYOUT[this.#family];
    const isKnown = (word: number | undefined): boolean => (((word ?? 0) >>> 8) & 0xff) === RECORD_CODES.connection.ESTABLISHED;
    for (const { verdictWords, count } of batches) {
      for (let index = 0; index < count; index++) {
        if (!isKnown(verdictWords[index * layout.words])) throw new Error(`${CONNECTION_TABLE}: the flood took a connection that stood`);
      }
    }
  }
}

/** Bytes as they lie: 10.x.x.x to 20.0.0.20, or a000::… to 1400::…; a step of the client's address leaves its first byte alone. */
const CLIENT_NETWORK = 10;
const SERVER_NETWORK = 20;
const CLIENT_STEP = 0x100;
const SERVER_PORT = 80;

/**
 * At most so long it kept its own thread: the clock counts what else ran on the processor meanwhile, processor time the helper threads
 * of V8, so the lower of the two is closer to the truth, and never below it.
 */
function ownNs(run: () => void): number {
  const [wall, cpu] = [CLOCKS.wall(), CLOCKS.cpu()];
  run();
  return Math.min(CLOCKS.wall() - wall, CLOCKS.cpu() - cpu) * 1e6;
}

export function tableLine({ family, size, ...figures }: TableFigures): string {
  const rounded = Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Number(value.toFixed(3))]));
  return JSON.stringify({ bench: CONNECTION_TABLE, variant: 'wasm', case: family, size, ...rounded, unit: 'as named' });
}

export function tableText(measured: readonly TableFigures[]): string {
  const header = ['', 'connections', 'bytes each', 'longest pause ms', '99.9 %', 'new ns', 'established ns', 'in a flood ns', 'x'];
  const rows = measured.map((one) => [
    one.family,
    one.size.toLocaleString('en-US'),
    one.bytesPerConnection.toFixed(1),
    one.longestPauseMs.toFixed(2),
    one.usualPauseMs.toFixed(2),
    one.nsPerNew.toFixed(0),
    one.nsPerEstablished.toFixed(1),
    one.nsPerEstablishedInFlood.toFixed(1),
    (one.nsPerEstablishedInFlood / one.nsPerEstablished).toFixed(2),
  ]);
  return [
    'Connection table: what does a connection take, how long does growing pause, and what does a flood of new ones cost those that stand?\n',
    alignColumns([header, ...rows], new Set([0])),
    '\nThe clock or processor time, whichever is less. A pause is a batch of 256 new connections, the first touch of memory included; established: 256 packets a batch, uniformly random, without a Service.\n',
  ].join('\n');
}
