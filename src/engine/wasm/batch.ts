// A batch of packets in linear memory: records in, verdicts out.
import { PACKET_SIZE_V4, PACKET_SIZE_V6, VERDICT_SIZE_V4, VERDICT_SIZE_V6 } from '../../../assembly/shared/layout.ts';
import type { Family } from '../../address.ts';
import { InvalidArgumentError } from '../../errors.ts';
import type { EngineBatch } from '../engine.ts';
import type { LinearMemory } from './memory.ts';

export class WasmBatch implements EngineBatch {
  readonly family: Family;
  readonly capacity: number;
  readonly packetSize: number;
  readonly verdictSize: number;
  /** Where the records begin. */
  readonly packets: number;
  readonly verdicts: number;
  readonly #memory: LinearMemory;
  #packetWords: Uint32Array;
  #verdictWords: Uint32Array;

  constructor(memory: LinearMemory, family: Family, capacity: number) {
    this.#memory = memory;
    this.family = family;
    this.capacity = capacity;
    this.packetSize = family === 'IPv4' ? PACKET_SIZE_V4 : PACKET_SIZE_V6;
    this.verdictSize = family === 'IPv4' ? VERDICT_SIZE_V4 : VERDICT_SIZE_V6;
    this.packets = memory.allocate(capacity * this.packetSize);
    this.verdicts = memory.allocate(capacity * this.verdictSize);
    this.#packetWords = this.#viewPackets();
    this.#verdictWords = this.#viewVerdicts();
  }

  packetWords(): Uint32Array {
    if (this.#packetWords.buffer !== this.#memory.words.buffer) this.#packetWords = this.#viewPackets();
    return this.#packetWords;
  }

  verdictWords(): Uint32Array {
    if (this.#verdictWords.buffer !== this.#memory.words.buffer) this.#verdictWords = this.#viewVerdicts();
    return this.#verdictWords;
  }

  free(): void {
    this.#memory.release(this.packets, this.capacity * this.packetSize);
    this.#memory.release(this.verdicts, this.capacity * this.verdictSize);
  }

  #viewPackets(): Uint32Array {
    return new Uint32Array(this.#memory.words.buffer, this.packets, (this.capacity * this.packetSize) / 4);
  }

  #viewVerdicts(): Uint32Array {
    return new Uint32Array(this.#memory.words.buffer, this.verdicts, (this.capacity * this.verdictSize) / 4);
  }
}

/** @throws InvalidArgumentError for a batch of another engine */
export function wasmBatch(batch: EngineBatch): WasmBatch {
  if (!(batch instanceof WasmBatch)) throw new InvalidArgumentError('batch', batch.constructor.name, 'was not made by this engine');
  return batch;
}
