// Passes over frames: connections opened as always, then rings of frames in turn, all out through one transmit ring.
import { FrameDigest, type ResultDigest } from './digest.ts';
import { openConnections, type Runner } from './passes.ts';
import type { BenchRing, FrameProcessor, ProcessorCounters } from './processor.ts';
import { benchServices, clientFrame, flowServices, packetFlows, type Workload, writeClientPacket } from './workload.ts';

export class FramePasses implements Runner {
  readonly #processor: FrameProcessor;
  readonly #workload: Workload;
  readonly #rings: readonly BenchRing[];
  readonly #ringsPerPass: number;
  readonly #atStart: ProcessorCounters;
  #next = 0;
  #sent = 0;

  constructor(processor: FrameProcessor, workload: Workload) {
    this.#processor = processor;
    this.#workload = workload;
    const services = flowServices(workload);
    const serviceList = benchServices(workload);
    const flows = packetFlows(workload);
    openConnections(processor, workload, (batch, index, flow, tcpFlags) => {
      const service = serviceList[services[flow] ?? 0];
      if (service !== undefined) writeClientPacket(batch.words, index, flow, service, tcpFlags);
    });
    const { batchSize } = workload;
    this.#ringsPerPass = workload.packetsPerPass / batchSize;
    this.#rings = Array.from({ length: workload.packetCount / batchSize }, (_, number) => {
      const ring = processor.createRing(batchSize);
      for (let index = 0; index < batchSize; index++) {
        const flow = flows[number * batchSize + index] ?? 0;
        const service = serviceList[services[flow] ?? 0];
        if (service !== undefined) ring.set(index, clientFrame(flow, service));
      }
      return ring;
    });
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

  reset(): void {}

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
