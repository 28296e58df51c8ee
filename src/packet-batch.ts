// PacketBatch over an engine's memory: packets in by index, verdicts out by index; the words themselves for hot paths.
import type { Family } from './address.ts';
import type { PacketBatch } from './dataplane-types.ts';
import type { Engine, EngineBatch } from './engine/engine.ts';
import { readVerdict, writePacket } from './engine/packet-record.ts';
import { InvalidArgumentError } from './errors.ts';
import type { Packet, Verdict } from './packet.ts';

export class EnginePacketBatch implements PacketBatch {
  readonly engine: Engine;
  /** The engine's side of it. */
  readonly memory: EngineBatch;
  #count = 0;

  constructor(engine: Engine, memory: EngineBatch) {
    this.engine = engine;
    this.memory = memory;
  }

  get capacity(): number {
    return this.memory.capacity;
  }

  get family(): Family {
    return this.memory.family;
  }

  get count(): number {
    return this.#count;
  }

  set count(count: number) {
    if (!Number.isInteger(count) || count < 0 || count > this.capacity) {
      throw new InvalidArgumentError('batch.count', count, `is not an integer from 0 to the capacity, ${this.capacity}`);
    }
    this.#count = count;
  }

  get words(): Uint32Array {
    return this.memory.packetWords();
  }

  get verdictWords(): Uint32Array {
    return this.memory.verdictWords();
  }

  set(index: number, packet: Packet): void {
    this.#check(index);
    const interfaceId = packet.inInterface === undefined ? 0 : this.engine.interfaceId(packet.inInterface);
    writePacket(this.words, index, this.family, packet, interfaceId);
  }

  verdict(index: number): Verdict {
    this.#check(index);
    return readVerdict(this.verdictWords, index, this.family, (id) => this.engine.servicePortName(id));
  }

  #check(index: number): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.capacity) {
      throw new InvalidArgumentError('index', index, `is not an integer from 0 to ${this.capacity - 1}`);
    }
  }
}
