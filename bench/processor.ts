// What the variants have in common: batches of packet and verdict records, processed in order, and counters.

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
