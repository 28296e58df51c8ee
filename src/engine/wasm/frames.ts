// Frame rings in the core's memory, and what the core counted about frames.
import {
  FRAME_SIZE,
  FRAMES_COUNTERS,
  FRAMES_TRAFFIC,
  FRAMES_TRAFFIC_LIMIT,
  RING_COUNT,
  RING_FLAG_PASS_FRAGMENTS,
  RING_FLAG_RAW_IP,
  RING_FLAGS,
  RING_RECORDS,
  RING_SIZE,
  RING_SLOTS,
  RING_STRIDE,
  RING_TRANSMIT,
  TRAFFIC_BYTES,
  TRAFFIC_PACKETS,
  TRAFFIC_REPLY_BYTES,
  TRAFFIC_REPLY_PACKETS,
  TRAFFIC_SIZE,
} from '../../../assembly/shared/frame-layout.ts';
import { InvalidArgumentError } from '../../errors.ts';
import {
  type EngineFrameRing,
  FRAME_KINDS,
  type FrameCounters,
  type FrameKind,
  type RingShape,
  type ServicePortTraffic,
  strideFor,
} from '../frame-ring.ts';
import type { Core } from './core.ts';
import type { LinearMemory } from './memory.ts';

const TRAFFIC_LIMIT_MIN = 64;

export class WasmFrames {
  readonly #core: Core;
  readonly #memory: LinearMemory;

  constructor(core: Core, memory: LinearMemory) {
    this.#core = core;
    this.#memory = memory;
    this.reserveTraffic(1);
  }

  createRing(shape: RingShape, transmit: EngineFrameRing | undefined): EngineFrameRing {
    return new WasmFrameRing(this.#memory, shape, transmit === undefined ? undefined : ringOf(transmit));
  }

  /** Runs `count` frames of a ring from number `first` on. The caller has made room for as many connections. */
  process(ring: EngineFrameRing, first: number, count: number, now: number): void {
    const { address, transmit } = ringOf(ring);
    if (transmit !== undefined && first === 0) transmit.count = 0;
    this.#core.processFrames(address, first, count, now);
  }

  /** Room for the traffic of ServicePorts with numbers below `limit`. */
  reserveTraffic(limit: number): void {
    const { words } = this.#memory;
    const have = words[this.#at(FRAMES_TRAFFIC_LIMIT)] ?? 0;
    if (limit <= have) return;
    const room = Math.max(TRAFFIC_LIMIT_MIN, 2 * limit);
    const before = words[this.#at(FRAMES_TRAFFIC)] ?? 0;
    const address = this.#memory.allocate(room * TRAFFIC_SIZE);
    if (have > 0) {
      this.#memory.bytes.copyWithin(address, before, before + have * TRAFFIC_SIZE);
      this.#memory.release(before, have * TRAFFIC_SIZE);
    }
    this.#memory.words[this.#at(FRAMES_TRAFFIC)] = address;
    this.#memory.words[this.#at(FRAMES_TRAFFIC_LIMIT)] = room;
  }

  counters(): FrameCounters {
    const read = (kind: FrameKind): number => this.#counter(this.#core.framesAddress + FRAMES_COUNTERS + FRAME_KINDS[kind] * 8);
    return {
      packet: read('packet'),
      related: read('related'),
      unrelated: read('unrelated'),
      notIP: read('notIP'),
      otherProtocol: read('otherProtocol'),
      fragment: read('fragment'),
      truncated: read('truncated'),
      malformed: read('malformed'),
      badChecksum: read('badChecksum'),
    };
  }

  traffic(servicePort: number): ServicePortTraffic {
    const at = (this.#memory.words[this.#at(FRAMES_TRAFFIC)] ?? 0) + servicePort * TRAFFIC_SIZE;
    return {
      packets: this.#counter(at + TRAFFIC_PACKETS),
      bytes: this.#counter(at + TRAFFIC_BYTES),
      replyPackets: this.#counter(at + TRAFFIC_REPLY_PACKETS),
      replyBytes: this.#counter(at + TRAFFIC_REPLY_BYTES),
    };
  }

  #counter(address: number): number {
    return Number(this.#memory.data.getBigUint64(address, true));
  }

  #at(field: number): number {
    return (this.#core.framesAddress + field) / 4;
  }
}

class WasmFrameRing implements EngineFrameRing {
  readonly capacity: number;
  readonly frameBytes: number;
  readonly isRawIp: boolean;
  readonly passesFragments: boolean;
  readonly stride: number;
  readonly transmit: WasmFrameRing | undefined;
  /** Of the RING record. */
  readonly address: number;
  readonly #memory: LinearMemory;
  readonly #slotsAt: number;
  readonly #recordsAt: number;
  #slots: Uint8Array;
  #records: Uint32Array;

  constructor(memory: LinearMemory, shape: RingShape, transmit: WasmFrameRing | undefined) {
    const { capacity, frameBytes, isRawIp, passesFragments } = shape;
    this.capacity = capacity;
    this.frameBytes = frameBytes;
    this.isRawIp = isRawIp;
    this.passesFragments = passesFragments;
    this.transmit = transmit;
    this.stride = strideFor(frameBytes);
    this.#memory = memory;
    this.address = memory.allocate(RING_SIZE);
    this.#slotsAt = memory.allocate(capacity * this.stride);
    this.#recordsAt = memory.allocate(capacity * FRAME_SIZE);
    const { words } = memory;
    words[(this.address + RING_SLOTS) / 4] = this.#slotsAt;
    words[(this.address + RING_STRIDE) / 4] = this.stride;
    words[(this.address + RING_RECORDS) / 4] = this.#recordsAt;
    words[(this.address + RING_FLAGS) / 4] = (isRawIp ? RING_FLAG_RAW_IP : 0) | (passesFragments ? RING_FLAG_PASS_FRAGMENTS : 0);
    words[(this.address + RING_TRANSMIT) / 4] = transmit?.address ?? 0;
    this.#slots = this.#viewSlots();
    this.#records = this.#viewRecords();
  }

  slots(): Uint8Array {
    if (this.#slots.buffer !== this.#memory.words.buffer) this.#slots = this.#viewSlots();
    return this.#slots;
  }

  records(): Uint32Array {
    if (this.#records.buffer !== this.#memory.words.buffer) this.#records = this.#viewRecords();
    return this.#records;
  }

  get count(): number {
    return this.#memory.words[(this.address + RING_COUNT) / 4] ?? 0;
  }

  set count(count: number) {
    this.#memory.words[(this.address + RING_COUNT) / 4] = count;
  }

  #viewSlots(): Uint8Array {
    return new Uint8Array(this.#memory.words.buffer, this.#slotsAt, this.capacity * this.stride);
  }

  #viewRecords(): Uint32Array {
    return new Uint32Array(this.#memory.words.buffer, this.#recordsAt, (this.capacity * FRAME_SIZE) / 4);
  }
}

function ringOf(ring: EngineFrameRing): WasmFrameRing {
  if (!(ring instanceof WasmFrameRing)) throw new InvalidArgumentError('ring', ring.constructor.name, 'was not made by this engine');
  return ring;
}
