// What the variants have in common: batches of packet and verdict records, processed in order, and counters.
import { EngineProcessor } from './engine-processor.ts';
import { MapDataplane } from './map/map.ts';
import { NativeBeginnings } from './native/beginnings.ts';
import { NativeFrames } from './native/frames.ts';
import { Native } from './native/native.ts';
import { benchServices } from './services.ts';
import { TwinFrames } from './twin/frames.ts';
import { Twin, type TwinOptions } from './twin/twin.ts';
import { allFlowsOf, NOW_MS, type Workload } from './workload.ts';

/**
 * `wasm` and `js`: the library's engines through createBatch and processBatch; `wasm-single`: one packet a call. `twin`: typed arrays in
 * TypeScript, made for the benchmark; `twin-staged`: with the core's stages. `map`: idiomatic TypeScript. `native`: C, without and with prefetch.
 */
export type VariantName = 'wasm' | 'wasm-single' | 'js' | 'twin' | 'twin-staged' | 'map' | 'native' | 'native-prefetch';

/** Those that run everywhere and every workload of packet records. */
export const VARIANTS: readonly VariantName[] = ['wasm', 'wasm-single', 'js', 'twin', 'twin-staged', 'map'];

/** Those that count the rules that a packet meets. */
export const ENGINES: ReadonlySet<VariantName> = new Set(['wasm', 'wasm-single', 'js']);

/** Where gcc is; IPv4 and IPv6 established, frames, and of new connections what NativeBeginnings knows. */
export const NATIVE = ['native', 'native-prefetch'] as const;

export function isNative(variant: VariantName): boolean {
  return NATIVE.some((one) => one === variant);
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
      return createNative(workload, variant === 'native-prefetch');
    default:
      return new EngineProcessor(variant === 'js' ? 'js' : 'wasm', workload, variant === 'wasm-single');
  }
}

export function createFrameProcessor(variant: VariantName, workload: Workload): FrameProcessor {
  const options = twinOptions(workload);
  if (variant === 'twin') return new TwinFrames(new Twin(options), workload.serviceCount, NOW_MS);
  if (isNative(variant)) return new NativeFrames(new Twin(options), options, variant === 'native-prefetch');
  if (variant === 'wasm' || variant === 'js') return new EngineProcessor(variant, workload, false);
  throw new Error(`${variant} knows no frames`);
}

function createNative(workload: Workload, prefetches: boolean): Processor {
  const options = twinOptions(workload);
  return workload.connections === 'new' ? new NativeBeginnings(options, prefetches) : new Native(new Twin(options), options, prefetches);
}

/** What the twin and all that is made of it must know. */
export function twinOptions(workload: Workload): TwinOptions {
  return { ...workload, services: benchServices(workload), flowCount: allFlowsOf(workload), nowMs: NOW_MS };
}
