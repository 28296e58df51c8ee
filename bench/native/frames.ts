// The native reference for frames: connections are opened as for packets, then C takes slots of frames.
import type { BenchRing, FrameProcessor, ProcessorBatch, ProcessorCounters } from '../processor.ts';
import { FrameSlots } from '../twin/frame-slots.ts';
import type { Twin, TwinOptions } from '../twin/twin.ts';
import { loadNative, type NativeReferenceV4 } from './build.ts';
import { Native } from './native.ts';
import { serve } from './services.ts';

export class NativeFrames implements FrameProcessor {
  readonly #packets: Native;
  readonly #reference: NativeReferenceV4;
  readonly #prefetches: number;
  readonly #nowMs: number;
  #out: FrameSlots | undefined;
  #frames = 0;

  constructor(twin: Twin, options: TwinOptions, prefetches: boolean) {
    this.#packets = new Native(twin, options, prefetches);
    this.#reference = loadNative('IPv4');
    this.#prefetches = prefetches ? 1 : 0;
    this.#nowMs = options.nowMs;
    serve(this.#reference, options);
  }

  createBatch(capacity: number): ProcessorBatch {
    return this.#packets.createBatch(capacity);
  }

  settle(): void {
    this.#packets.settle();
  }

  counters(): ProcessorCounters {
    const before = this.#packets.counters();
    return { ...before, packets: before.packets + this.#frames, established: before.established + this.#frames };
  }

  createRing(capacity: number): BenchRing {
    const slots = new FrameSlots(capacity);
    this.#out ??= new FrameSlots(capacity);
    const out = this.#out;
    let left = 0;
    return {
      set: (index, frame) => slots.set(index, frame),
      process: () => {
        left = this.#reference.processFrames(slots.bytes, slots.lengths, capacity, out.bytes, this.#nowMs, this.#prefetches);
        this.#frames += left;
      },
      frame: (index) => out.frame(index, slots.lengths[index] ?? 0),
      get left() {
        return left;
      },
    };
  }
}
