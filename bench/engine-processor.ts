// The library's engines as variants: batches, one packet a call, and frames, all through the public API.
import { createDataplaneSync, type Dataplane, type FrameRing, PACKET_LAYOUT, type PacketBatch, VERDICT_LAYOUT } from 'svcplane';
import { createDataplaneSync as createWithCore } from 'svcplane/external';
import type { BenchRing, FrameProcessor, ProcessorBatch, ProcessorCounters } from './processor.ts';
import { benchDump, benchObjects, benchServices } from './services.ts';
import { allFlowsOf, NOW_MS, type Workload } from './workload.ts';

/** IPVS keeps a connection in SYN_RECV that its client has reset for a minute. */
const FORGOTTEN_AFTER_MS = 61_000;
/** Slots of one cache line: a TCP segment without payload. */
const FRAME_BYTES = 62;

export class EngineProcessor implements FrameProcessor {
  readonly #dataplane: Dataplane;
  readonly #isSingle: boolean;
  readonly #workload: Workload;
  #transmit: FrameRing | undefined;
  #now = NOW_MS;

  /** @param core instead of the one that the package carries */
  constructor(engine: 'wasm' | 'js', workload: Workload, isSingle: boolean, core?: Uint8Array) {
    this.#workload = workload;
    this.#dataplane = createBenchDataplane(engine, workload, () => this.#now, core);
    this.#isSingle = isSingle;
  }

  forget(): void {
    this.#now += FORGOTTEN_AFTER_MS;
    this.counters();
  }

  createBatch(capacity: number): ProcessorBatch {
    const { family = 'IPv4' } = this.#workload;
    return new (this.#isSingle ? SingleBatch : EngineBatch)(this.#dataplane, capacity, family);
  }

  createRing(capacity: number): BenchRing {
    const dataplane = this.#dataplane;
    if (this.#workload.frames === 'transmit') this.#transmit ??= dataplane.createFrameRing(capacity, { frameBytes: FRAME_BYTES });
    const transmit = this.#transmit;
    const ring = dataplane.createFrameRing(capacity, { frameBytes: FRAME_BYTES, ...(transmit === undefined ? {} : { transmit }) });
    ring.count = capacity;
    return {
      set: (index, frame) => ring.set(index, frame),
      process: () => dataplane.processFrames(ring),
      frame: (index) => (transmit ?? ring).frame(index),
      get left() {
        return (transmit ?? ring).count;
      },
    };
  }

  counters(): ProcessorCounters {
    return this.#dataplane.counters();
  }
}

class EngineBatch implements ProcessorBatch {
  readonly #dataplane: Dataplane;
  readonly #batch: PacketBatch;

  constructor(dataplane: Dataplane, capacity: number, family: 'IPv4' | 'IPv6') {
    this.#dataplane = dataplane;
    this.#batch = dataplane.createBatch(capacity, { family });
  }

  get words(): Uint32Array {
    return this.#batch.words;
  }

  get verdictWords(): Uint32Array {
    return this.#batch.verdictWords;
  }

  get count(): number {
    return this.#batch.count;
  }

  set count(count: number) {
    this.#batch.count = count;
  }

  process(): void {
    this.#dataplane.processBatch(this.#batch);
  }
}

/** One call a packet: its record is written, processed and read, as a caller would that has one packet at a time. */
class SingleBatch implements ProcessorBatch {
  readonly words: Uint32Array;
  readonly verdictWords: Uint32Array;
  count = 0;
  readonly #dataplane: Dataplane;
  readonly #batch: PacketBatch;
  readonly #packetWords: number;
  readonly #verdictWords: number;

  constructor(dataplane: Dataplane, capacity: number, family: 'IPv4' | 'IPv6') {
    this.#dataplane = dataplane;
    this.#packetWords = PACKET_LAYOUT[family].words;
    this.#verdictWords = VERDICT_LAYOUT[family].words;
    this.words = new Uint32Array(capacity * this.#packetWords);
    this.verdictWords = new Uint32Array(capacity * this.#verdictWords);
    this.#batch = dataplane.createBatch(1, { family });
    this.#batch.count = 1;
  }

  process(): void {
    const batch = this.#batch;
    const packetWords = this.#packetWords;
    const ofVerdict = this.#verdictWords;
    for (let index = 0; index < this.count; index++) {
      const { words } = batch;
      for (let word = 0; word < packetWords; word++) words[word] = this.words[index * packetWords + word] ?? 0;
      this.#dataplane.processBatch(batch);
      const { verdictWords } = batch;
      for (let word = 0; word < ofVerdict; word++) this.verdictWords[index * ofVerdict + word] = verdictWords[word] ?? 0;
    }
  }
}

/** Objects in, or a dump; connections that stand last longer than the clock ever moves. */
function createBenchDataplane(engine: 'wasm' | 'js', workload: Workload, now: () => number, core: Uint8Array | undefined): Dataplane {
  const { mode, seed, family, scheduler = 'rr', dump } = workload;
  const services = benchServices(workload);
  const options = {
    engine,
    mode,
    seed,
    nodeName: 'bench',
    nodeIPs: ['192.168.0.11', 'fd00::11'],
    conntrackMax: Math.max(allFlowsOf(workload), 1024),
    config: { ipvs: { scheduler, tcpTimeout: '24h' } },
    now,
    ...(dump === undefined ? {} : { rules: benchDump(services) }),
  };
  const dataplane = core === undefined ? createDataplaneSync(options) : createWithCore({ ...options, core });
  if (dump === undefined) dataplane.apply(benchObjects(services, family));
  return dataplane;
}
