// What the variants have in common: batches of packet and verdict records, processed in order, and counters.
import { createDataplaneSync, type Dataplane, type FrameRing, PACKET_LAYOUT, type PacketBatch, VERDICT_LAYOUT } from 'svcplane';
import { MapDataplane } from './map/map.ts';
import { Native } from './native/native.ts';
import { TwinFrames } from './twin/frames.ts';
import { Twin, type TwinOptions } from './twin/twin.ts';
import { benchObjects, benchServices, type Workload } from './workload.ts';

/**
 * `wasm` and `js`: the library's engines through createBatch and processBatch; `wasm-single`: one packet a call. `twin`: typed arrays in
 * TypeScript, made for the benchmark; `twin-staged`: with the core's stages. `map`: idiomatic TypeScript. `native`: C, without and with prefetch.
 */
export type VariantName = 'wasm' | 'wasm-single' | 'js' | 'twin' | 'twin-staged' | 'map' | 'native' | 'native-prefetch';

/** Those that run everywhere and every workload of packet records. */
export const VARIANTS: readonly VariantName[] = ['wasm', 'wasm-single', 'js', 'twin', 'twin-staged', 'map'];

/** Those that count the rules that a packet meets. */
export const ENGINES: ReadonlySet<VariantName> = new Set(['wasm', 'wasm-single', 'js']);

export function isNative(variant: VariantName): boolean {
  return variant === 'native' || variant === 'native-prefetch';
}

export interface ProcessorBatch {
  /** Records of packets and of verdicts, as PACKET_LAYOUT and VERDICT_LAYOUT say. */
  readonly words: Uint32Array;
  readonly verdictWords: Uint32Array;
  count: number;
  process(): void;
}

export interface ProcessorCounters {
  readonly packets: number;
  readonly newConnections: number;
  readonly established: number;
  /** Connections that stand. */
  readonly connections: number;
}

export interface Processor {
  createBatch(capacity: number): ProcessorBatch;
  /** The connections that a workload starts with stand. */
  settle?(): void;
  /** All connections were reset: nothing must be left of them. */
  forget?(): void;
  counters(): ProcessorCounters;
}

/** The clock stands still during passes: nothing expires, and no variant pays for asking the time. */
const NOW_MS = 1000;
/** IPVS keeps a connection in SYN_RECV that its client has reset for a minute. */
const FORGOTTEN_AFTER_MS = 61_000;
/** Slots of one cache line: a TCP segment without payload. */
const FRAME_BYTES = 62;

/** Frames that leave through a transmit ring. */
export interface BenchRing {
  set(index: number, frame: Uint8Array): void;
  process(): void;
  /** How many left, and the bytes of one of them. */
  readonly left: number;
  frame(index: number): Uint8Array;
}

export interface FrameProcessor extends Processor {
  createRing(capacity: number): BenchRing;
}

export function createProcessor(variant: VariantName, workload: Workload): Processor {
  const options = twinOptions(workload);
  switch (variant) {
    case 'twin':
      return new Twin(options);
    case 'twin-staged':
      return new Twin({ ...options, isStaged: true });
    case 'map':
      return new MapDataplane(options);
    case 'native':
    case 'native-prefetch':
      return new Native(new Twin(options), workload.flowCount, NOW_MS, variant === 'native-prefetch');
    default:
      return new EngineProcessor(variant === 'js' ? 'js' : 'wasm', workload, variant === 'wasm-single');
  }
}

export function createFrameProcessor(variant: VariantName, workload: Workload): FrameProcessor {
  if (variant === 'twin') return new TwinFrames(new Twin(twinOptions(workload)), workload.serviceCount, NOW_MS);
  if (variant === 'wasm' || variant === 'js') return new EngineProcessor(variant, workload, false);
  throw new Error(`${variant} knows no frames`);
}

function twinOptions(workload: Workload): TwinOptions {
  const { mode, seed, flowCount } = workload;
  return { mode, services: benchServices(workload), seed, flowCount, nowMs: NOW_MS };
}

function createBenchDataplane(engine: 'wasm' | 'js', workload: Workload, now: () => number): Dataplane {
  const { mode, seed, flowCount } = workload;
  const dataplane = createDataplaneSync({
    engine,
    mode,
    seed,
    nodeName: 'bench',
    nodeIPs: ['192.168.0.11'],
    conntrackMax: Math.max(flowCount, 1024),
    now,
  });
  dataplane.apply(benchObjects(benchServices(workload)));
  return dataplane;
}

class EngineProcessor implements FrameProcessor {
  readonly #dataplane: Dataplane;
  readonly #isSingle: boolean;
  #transmit: FrameRing | undefined;
  #now = NOW_MS;

  constructor(engine: 'wasm' | 'js', workload: Workload, isSingle: boolean) {
    this.#dataplane = createBenchDataplane(engine, workload, () => this.#now);
    this.#isSingle = isSingle;
  }

  forget(): void {
    this.#now += FORGOTTEN_AFTER_MS;
    this.counters();
  }

  createBatch(capacity: number): ProcessorBatch {
    return this.#isSingle ? new SingleBatch(this.#dataplane, capacity) : new EngineBatch(this.#dataplane, capacity);
  }

  createRing(capacity: number): BenchRing {
    const dataplane = this.#dataplane;
    this.#transmit ??= dataplane.createFrameRing(capacity, { frameBytes: FRAME_BYTES });
    const transmit = this.#transmit;
    const ring = dataplane.createFrameRing(capacity, { frameBytes: FRAME_BYTES, transmit });
    ring.count = capacity;
    return {
      set: (index, frame) => ring.set(index, frame),
      process: () => dataplane.processFrames(ring),
      frame: (index) => transmit.frame(index),
      get left() {
        return transmit.count;
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

  constructor(dataplane: Dataplane, capacity: number) {
    this.#dataplane = dataplane;
    this.#batch = dataplane.createBatch(capacity);
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

const PACKET_WORDS = PACKET_LAYOUT.IPv4.words;
const VERDICT_WORDS = VERDICT_LAYOUT.IPv4.words;

/** One call a packet: its record is written, processed and read, as a caller would that has one packet at a time. */
class SingleBatch implements ProcessorBatch {
  readonly words: Uint32Array;
  readonly verdictWords: Uint32Array;
  count = 0;
  readonly #dataplane: Dataplane;
  readonly #batch: PacketBatch;

  constructor(dataplane: Dataplane, capacity: number) {
    this.#dataplane = dataplane;
    this.words = new Uint32Array(capacity * PACKET_WORDS);
    this.verdictWords = new Uint32Array(capacity * VERDICT_WORDS);
    this.#batch = dataplane.createBatch(1);
    this.#batch.count = 1;
  }

  process(): void {
    const batch = this.#batch;
    for (let index = 0; index < this.count; index++) {
      const { words } = batch;
      for (let word = 0; word < PACKET_WORDS; word++) words[word] = this.words[index * PACKET_WORDS + word] ?? 0;
      this.#dataplane.processBatch(batch);
      const { verdictWords } = batch;
      for (let word = 0; word < VERDICT_WORDS; word++) this.verdictWords[index * VERDICT_WORDS + word] = verdictWords[word] ?? 0;
    }
  }
}
