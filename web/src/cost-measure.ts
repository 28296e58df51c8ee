// What one new connection costs by number of Services: every mode on both engines, in turn, in this very browser.
import { createDataplaneSync, type Dataplane, type PacketBatch, type ProxyMode } from 'svcplane';
import { TCP_RST, TCP_SYN, writeClientPacket, writeTcpFlags } from '../../bench/packets.ts';
import { type BenchService, benchObjects, benchServices } from '../../bench/services.ts';

export const SERVICE_COUNTS = [10, 100, 300, 1000, 3000, 10_000];

export interface Variant {
  readonly mode: ProxyMode;
  readonly engine: 'wasm' | 'js';
}

export const VARIANTS: readonly Variant[] = (['iptables', 'nftables', 'ipvs'] as const).flatMap((mode) =>
  (['wasm', 'js'] as const).map((engine) => ({ mode, engine })),
);

/** All variants at one number of Services, in the order of VARIANTS; NaN where an engine does not run. */
export interface CostPoint {
  readonly serviceCount: number;
  readonly nsPerPacket: readonly number[];
}

const BATCH = 256;
/** A power of two. */
const BATCHES_MAX = 64;
/** Clocks of pages tick every 0.1 ms: a pass must last long enough for that. */
const PASS_MS = 3;
/** Whatever else the machine does makes a round slower, never faster: a fast one counts. */
export const ROUNDS = 9;

/** The first packet to the last Service, which is where a list is slowest. */
export function measureCost(serviceCount: number): CostPoint {
  const services = servicesOf(serviceCount);
  const objects = benchObjects(services);
  const runs = VARIANTS.map(({ mode, engine }) => {
    try {
      const dataplane = createDataplaneSync({
        mode,
        engine,
        nodeIPs: ['192.168.0.11'],
        config: { clusterCIDR: '10.128.0.0/9' },
        seed: 1,
        now: () => 0,
      });
      dataplane.apply(objects);
      return new Run(dataplane, services);
    } catch {
      return undefined;
    }
  });
  for (const run of runs) run?.calibrate();
  for (let round = 0; round < ROUNDS; round++) for (const run of runs) run?.measure();
  const nsPerPacket = runs.map((run) => run?.finish() ?? Number.NaN);
  return { serviceCount, nsPerPacket };
}

function servicesOf(serviceCount: number): BenchService[] {
  return benchServices({
    mode: 'iptables',
    serviceCount,
    endpointsPerService: 2,
    aim: 'last',
    connections: 'new',
    flowCount: 0,
    packetCount: 0,
    packetsPerPass: 0,
    batchSize: BATCH,
    seed: 1,
  });
}

/** One dataplane with packets that begin connections to its last Service, over and over. */
class Run {
  readonly #dataplane: Dataplane;
  readonly #batches: readonly PacketBatch[];
  #batchCount = 1;
  readonly #samples: number[] = [];

  constructor(dataplane: Dataplane, services: readonly BenchService[]) {
    this.#dataplane = dataplane;
    const last = services.at(-1);
    if (last === undefined) throw new Error('there is no Service to send to');
    this.#batches = Array.from({ length: BATCHES_MAX }, (_, number) => {
      const batch = dataplane.createBatch(BATCH);
      for (let index = 0; index < BATCH; index++) writeClientPacket(batch.words, index, number * BATCH + index, last, TCP_SYN);
      batch.count = BATCH;
      return batch;
    });
  }

  /** As many packets a pass as take a few milliseconds: whole batches, or a part of one where packets are slow. */
  calibrate(): void {
    const [first] = this.#batches;
    if (first === undefined) return;
    for (first.count = 16; first.count < BATCH && this.#quickPass() < PASS_MS; ) first.count *= 2;
    while (first.count === BATCH && this.#batchCount < BATCHES_MAX && this.#quickPass() < PASS_MS) this.#batchCount *= 2;
  }

  measure(): void {
    const elapsedMs = this.#pass();
    const packets = this.#used().reduce((sum, batch) => sum + batch.count, 0);
    this.#samples.push((elapsedMs * 1e6) / packets);
  }

  /** The first quartile. */
  finish(): number {
    this.#dataplane[Symbol.dispose]();
    const sorted = this.#samples.toSorted((a, b) => a - b);
    return sorted[sorted.length >> 2] ?? Number.NaN;
  }

  #used(): readonly PacketBatch[] {
    return this.#batches.slice(0, this.#batchCount);
  }

  /** The first passes are slow, and so is one that the machine interrupts: neither says how long a pass takes. */
  #quickPass(): number {
    return Math.min(this.#pass(), this.#pass(), this.#pass());
  }

  /** Begins all connections, timed, and closes them again so that the next pass finds none. */
  #pass(): number {
    const used = this.#used();
    const start = performance.now();
    for (const batch of used) this.#dataplane.processBatch(batch);
    const elapsedMs = performance.now() - start;
    for (const batch of used) {
      writeTcpFlags(batch.words, batch.count, TCP_RST);
      this.#dataplane.processBatch(batch);
      writeTcpFlags(batch.words, batch.count, TCP_SYN);
    }
    return elapsedMs;
  }
}
