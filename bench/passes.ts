// One variant at work on one workload: opens its connections, then runs passes over the packets, checked or plain.
// Lives in a child process; measuring is the caller's.

import { type ResultDigest, VerdictDigest } from './digest.ts';
import {
  type Destination,
  ELSEWHERE,
  TCP_ACK,
  TCP_RST,
  TCP_SYN,
  TCP_SYN_ACK,
  writeAnswers,
  writeClientPacket,
  writeTcpFlags,
} from './packets.ts';
import type { Processor, ProcessorBatch, ProcessorCounters } from './processor.ts';
import { benchServices } from './services.ts';
import { flowServices, packetFlows, type Workload } from './workload.ts';

/** What a child runs: checked, timed, and again. */
export interface Runner {
  run(): void;
  runChecked(): { readonly nsPerPacket: number; readonly result: ResultDigest };
  reset(): void;
  verifyCounters(): void;
}

export class Passes implements Runner {
  readonly #processor: Processor;
  readonly #workload: Workload;
  /** All packets of the workload, in batches. */
  readonly #batches: readonly ProcessorBatch[];
  readonly #batchesPerPass: number;
  #next = 0;
  /** What was counted when the connections stood, and the packets sent since. */
  readonly #atStart: ProcessorCounters;
  #sent = 0;

  /** @throws Error when the connections that must stand first do not. */
  constructor(processor: Processor, workload: Workload) {
    if (workload.packetCount % workload.packetsPerPass !== 0 || workload.packetsPerPass % workload.batchSize !== 0) {
      throw new Error('a workload is whole passes of whole batches');
    }
    this.#processor = processor;
    this.#workload = workload;
    const destinationOf = destinations(workload);
    const flows = packetFlows(workload);
    const opened = openConnections(processor, workload, destinationOf);
    const { batchSize } = workload;
    this.#batchesPerPass = workload.packetsPerPass / batchSize;
    const tcpFlags = workload.connections === 'new' ? TCP_SYN : TCP_ACK;
    this.#batches = Array.from({ length: workload.packetCount / batchSize }, (_, number) => {
      const batch = processor.createBatch(batchSize);
      for (let index = 0; index < batchSize; index++) {
        const flow = flows[number * batchSize + index] ?? 0;
        writeClientPacket(batch.words, index, flow, destinationOf(flow), tcpFlags, workload.family);
      }
      batch.count = batchSize;
      return batch;
    });
    this.#atStart = processor.counters();
    if (this.#atStart.newConnections !== opened) {
      throw new Error(`${this.#atStart.newConnections} connections were opened instead of ${opened}`);
    }
  }

  /** Processes the packets of the next pass. */
  run(): void {
    const first = this.#take();
    for (let number = first; number < first + this.#batchesPerPass; number++) this.#batches[number]?.process();
  }

  /** The same, timed batch by batch and with all results read: nanoseconds a packet and what came out. */
  runChecked(): { readonly nsPerPacket: number; readonly result: ResultDigest } {
    const digest = new VerdictDigest(this.#workload.family);
    let elapsedMs = 0;
    const first = this.#take();
    for (const batch of this.#batches.slice(first, first + this.#batchesPerPass)) {
      const start = performance.now();
      batch.process();
      elapsedMs += performance.now() - start;
      digest.add(batch.verdictWords, batch.count);
    }
    return { nsPerPacket: (elapsedMs * 1e6) / this.#workload.packetsPerPass, result: digest.result() };
  }

  /** Before each pass of new connections: those of the pass before are reset by their clients, so that all tuples are new again. */
  reset(): void {
    if (this.#workload.connections !== 'new' || this.#sent === 0) return;
    for (const batch of this.#batches) {
      writeTcpFlags(batch.words, batch.count, TCP_RST, this.#workload.family);
      batch.process();
      writeTcpFlags(batch.words, batch.count, TCP_SYN, this.#workload.family);
    }
    this.#processor.forget?.();
  }

  /** @throws Error when a packet was not what the workload says: the beginning of a connection, or part of an established one. */
  verifyCounters(): void {
    const counters = this.#processor.counters();
    const began = counters.newConnections - this.#atStart.newConnections;
    const expected = this.#workload.connections === 'new' ? this.#sent : 0;
    if (began !== expected) throw new Error(`${began} new connections in ${this.#sent} packets instead of ${expected}`);
    const established = counters.established - this.#atStart.established;
    const isEstablishedOnly = established === this.#sent && counters.packets - this.#atStart.packets === this.#sent;
    if (this.#workload.connections === 'established' && !isEstablishedOnly) {
      throw new Error(`${established} of ${this.#sent} packets belonged to established connections instead of all`);
    }
  }

  /** The number of the first batch of the next pass. Leaves nothing on the heap: allocation.ts looks there. */
  #take(): number {
    const first = this.#next;
    this.#next = (first + this.#batchesPerPass) % this.#batches.length;
    this.#sent += this.#workload.packetsPerPass;
    return first;
  }
}

/** Where the packets of each flow go. */
export function destinations(workload: Workload): (flow: number) => Destination {
  const services = benchServices(workload);
  const chosen = flowServices(workload);
  return (flow) => (workload.aim === 'none' ? undefined : services[chosen[flow] ?? 0]) ?? ELSEWHERE;
}

/** Each handshake of the flows that stand from the beginning: SYN, the backend's SYN+ACK, ACK. Says how many. */
export function openConnections(processor: Processor, workload: Workload, destinationOf: (flow: number) => Destination): number {
  const { batchSize, family } = workload;
  const flowCount = workload.connections === 'established' ? workload.flowCount : (workload.standingCount ?? 0);
  const fromClient = processor.createBatch(batchSize);
  const fromBackend = processor.createBatch(batchSize);
  for (let first = 0; first < flowCount; first += batchSize) {
    const count = Math.min(batchSize, flowCount - first);
    for (let index = 0; index < count; index++) {
      writeClientPacket(fromClient.words, index, first + index, destinationOf(first + index), TCP_SYN, family);
    }
    fromClient.count = count;
    fromClient.process();
    writeAnswers(fromClient.verdictWords, fromBackend.words, count, TCP_SYN_ACK, family);
    fromBackend.count = count;
    fromBackend.process();
    writeTcpFlags(fromClient.words, count, TCP_ACK, family);
    fromClient.process();
  }
  processor.settle?.();
  return flowCount;
}
