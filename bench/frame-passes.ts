// Passes over frames: connections opened as always, then rings of frames in turn, all out through one transmit ring.
import { FrameDigest, type ResultDigest } from './digest.ts';
import { clientFrame } from './packets.ts';
import { destinations, openConnections, type Runner } from './passes.ts';
import type { BenchRing, FrameProcessor, ProcessorCounters } from './processor.ts';
import { packetFlows, type Workload } from './workload.ts';

export class FramePasses implements Runner {
  readonly #processor: FrameProcessor;
  readonly #workload: Workload;
  readonly #rings: readonly BenchRing[];
  readonly #frameOf: (packet: number) => Uint8Array;
  readonly #ringsPerPass: number;
  readonly #atStart: ProcessorCounters;
  #next = 0;
  #sent = 0;

  constructor(processor: FrameProcessor, workload: Workload) {
    this.#processor = processor;
    this.#workload = workload;
    const destinationOf = destinations(workload);
    const flows = packetFlows(workload);
    openConnections(processor, workload, destinationOf);
    const { batchSize } = workload;
    this.#ringsPerPass = workload.packetsPerPass / batchSize;
    this.#rings = Array.from({ length: workload.packetCount / batchSize }, () => processor.createRing(batchSize));
    this.#frameOf = (packet) => {
      const flow = flows[packet] ?? 0;
      return clientFrame(flow, destinationOf(flow));
    };
    this.#fill();
    this.#atStart = processor.counters();
  }

  run(): void {
    const first = this.#take();
    for (let number = first; number < first + this.#ringsPerPass; number++) this.#rings[number]?.process();
  }

  runChecked(): { readonly nsPerPacket: number; readonly result: ResultDigest } {
    const digest = new FrameDigest();
    let elapsedMs = 0;
    const first = this.#take();
    for (const ring of this.#rings.slice(first, first + this.#ringsPerPass)) {
      const start = performance.now();
      ring.process();
      elapsedMs += performance.now() - start;
      if (ring.left !== this.#workload.batchSize) throw new Error(`${ring.left} of ${this.#workload.batchSize} frames left`);
      for (let index = 0; index < ring.left; index++) digest.add(ring.frame(index));
    }
    return { nsPerPacket: (elapsedMs * 1e6) / this.#workload.packetsPerPass, result: digest.result() };
  }

  /** Frames that were rewritten in place come in again as they were. */
  reset(): void {
    if (this.#workload.frames === 'in place') this.#fill();
  }

  #fill(): void {
    const { batchSize } = this.#workload;
    this.#rings.forEach((ring, number) => {
      for (let index = 0; index < batchSize; index++) ring.set(index, this.#frameOf(number * batchSize + index));
    });
  }

  verifyCounters(): void {
    const { established } = this.#processor.counters();
    if (established - this.#atStart.established !== this.#sent)
      throw new Error(
        `${established - this.#atStart.established} of ${this.#sent} frames belonged to established connections instead of all`,
      );
  }

  #take(): number {
    const first = this.#next;
    this.#next = (first + this.#ringsPerPass) % this.#rings.length;
    this.#sent += this.#workload.packetsPerPass;
    return first;
  }
}
