// FrameRing over an engine's memory: frames in by index, rewritten frames and what became of them out by index.
import {
  FRAME_ACTION,
  FRAME_INTERFACE,
  FRAME_LENGTH,
  FRAME_MARK,
  FRAME_PEER,
  FRAME_RULES,
  FRAME_SERVICE_PORT,
  FRAME_SIZE,
  FRAME_WIRE_LENGTH,
  PEER_NONE,
  SLOT_FRAME,
} from '../assembly/shared/frame-layout.ts';
import type { FrameOptions, FrameResult, FrameRing, FrameRingOptions } from './dataplane-types.ts';
import type { Engine } from './engine/engine.ts';
import { type EngineFrameRing, FRAME_KINDS, type FrameKind, type RingShape } from './engine/frame-ring.ts';
import { RECORD_CODES } from './engine/layouts.ts';
import { actionOf, connectionOf } from './engine/packet-record.ts';
import { InvalidArgumentError } from './errors.ts';

/** A full-size Ethernet frame with two VLAN tags. */
const FRAME_BYTES_DEFAULT = 1522;
/** Of a jumbo frame, and of a packet that a capture shows before it was segmented. */
const FRAME_BYTES_MAX = 0x1_0040;
const RECORD_WORDS = FRAME_SIZE / 4;

const kinds = new Map<number, FrameKind>();
for (const [kind, code] of Object.entries(FRAME_KINDS)) kinds.set(code, kind as FrameKind);

export function ringShape(capacity: number, options: FrameRingOptions): RingShape {
  const frameBytes = options.frameBytes ?? FRAME_BYTES_DEFAULT;
  if (!Number.isInteger(capacity) || capacity < 1) throw new InvalidArgumentError('capacity', capacity, 'is not a positive integer');
  if (!Number.isInteger(frameBytes) || frameBytes < 1 || frameBytes > FRAME_BYTES_MAX)
    throw new InvalidArgumentError('frameBytes', frameBytes, `is not an integer from 1 to ${FRAME_BYTES_MAX}`);
  const link = options.link ?? 'ethernet';
  if (link !== 'ethernet' && link !== 'ip') throw new InvalidArgumentError('link', link, 'is not one of ethernet, ip');
  const fragments = options.fragments ?? 'drop';
  if (fragments !== 'drop' && fragments !== 'pass') throw new InvalidArgumentError('fragments', fragments, 'is not one of drop, pass');
  const { transmit } = options;
  if (transmit !== undefined && (transmit.capacity < capacity || transmit.frameBytes < frameBytes || transmit.transmit !== undefined))
    throw new InvalidArgumentError(
      'transmit',
      `${transmit.capacity} x ${transmit.frameBytes} bytes`,
      'is no ring of this capacity and frame size that rewrites in place',
    );
  return { capacity, frameBytes, isRawIp: link === 'ip', passesFragments: fragments === 'pass' };
}

export class EngineBackedFrameRing implements FrameRing {
  readonly engine: Engine;
  /** The engine's side of it. */
  readonly memory: EngineFrameRing;
  readonly transmit: FrameRing | undefined;

  constructor(engine: Engine, memory: EngineFrameRing, transmit: FrameRing | undefined) {
    this.engine = engine;
    this.memory = memory;
    this.transmit = transmit;
  }

  get capacity(): number {
    return this.memory.capacity;
  }

  get frameBytes(): number {
    return this.memory.frameBytes;
  }

  get stride(): number {
    return this.memory.stride;
  }

  get bytes(): Uint8Array {
    return this.memory.slots();
  }

  get words(): Uint32Array {
    return this.memory.records();
  }

  get count(): number {
    return this.memory.count;
  }

  set count(count: number) {
    if (!Number.isInteger(count) || count < 0 || count > this.capacity) {
      throw new InvalidArgumentError('ring.count', count, `is not an integer from 0 to the capacity, ${this.capacity}`);
    }
    this.memory.count = count;
  }

  set(index: number, frame: Uint8Array, options: FrameOptions = {}): void {
    this.#check(index);
    if (!ArrayBuffer.isView(frame)) throw new InvalidArgumentError('frame', frame, 'is not a Uint8Array');
    const { wireLength = frame.length, inInterface = '', hook, mark = 0 } = options;
    if (frame.length > this.frameBytes)
      throw new InvalidArgumentError('frame', `${frame.length} bytes`, `is longer than the ring's frameBytes, ${this.frameBytes}`);
    if (!Number.isInteger(wireLength) || wireLength < frame.length || wireLength > 0xffffffff)
      throw new InvalidArgumentError('frame.wireLength', wireLength, `is not an integer from the frame's length, ${frame.length}`);
    if (!Number.isInteger(mark) || mark < 0 || mark > 0xffffffff)
      throw new InvalidArgumentError('frame.mark', mark, 'is not an integer of 32 bits');
    const hookCode = RECORD_CODES.hook[hook ?? 'default'];
    if (hookCode === undefined) throw new InvalidArgumentError('frame.hook', hook, 'is not one of PREROUTING, OUTPUT');
    const interfaceId = inInterface === '' ? 0 : this.engine.interfaceId(inInterface);
    this.bytes.set(frame, index * this.stride + SLOT_FRAME);
    const { words } = this;
    const at = index * RECORD_WORDS;
    words.fill(0, at, at + RECORD_WORDS);
    words[at + FRAME_LENGTH / 4] = frame.length;
    words[at + FRAME_WIRE_LENGTH / 4] = wireLength;
    words[at + (FRAME_INTERFACE - 2) / 4] = ((interfaceId << 16) | (hookCode << 8)) >>> 0;
    words[at + FRAME_MARK / 4] = mark;
  }

  frame(index: number): Uint8Array {
    this.#check(index);
    const from = index * this.stride + SLOT_FRAME;
    return this.bytes.subarray(from, from + Math.min(this.#word(index, FRAME_LENGTH), this.frameBytes));
  }

  result(index: number): FrameResult {
    this.#check(index);
    const outcome = this.#word(index, FRAME_ACTION);
    const kind = kinds.get(outcome >>> 24);
    const action = actionOf(outcome & 0xff);
    if (kind === undefined || action === undefined) throw new InvalidArgumentError('index', index, 'is a frame that was not processed yet');
    const connection = connectionOf((outcome >>> 8) & 0xff);
    const servicePort = this.engine.servicePortName(this.#word(index, FRAME_SERVICE_PORT));
    const peer = this.#word(index, FRAME_PEER);
    return {
      kind,
      action,
      passes: action === 'ACCEPT' || action === 'DNAT',
      masquerade: ((outcome >>> 16) & RECORD_CODES.masquerade) !== 0,
      ...(connection === undefined ? {} : { connection }),
      ...(servicePort === undefined ? {} : { servicePort }),
      ...(peer === PEER_NONE ? {} : { peer }),
      rulesEvaluated: this.#word(index, FRAME_RULES),
    };
  }

  #word(index: number, offset: number): number {
    return this.words[index * RECORD_WORDS + offset / 4] ?? 0;
  }

  #check(index: number): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.capacity) {
      throw new InvalidArgumentError('index', index, `is not an integer from 0 to ${this.capacity - 1}`);
    }
  }
}
