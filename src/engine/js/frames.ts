// Frames one by one: headers, the packet's verdict, then what leaves, in place or through the transmit ring.
import {
  FRAME_ACTION,
  FRAME_HOOK,
  FRAME_LENGTH,
  FRAME_MARK,
  FRAME_PEER,
  FRAME_RULES,
  FRAME_SERVICE_PORT,
  FRAME_SIZE,
  FRAME_WIRE_LENGTH,
  PEER_NONE,
  SLOT_FRAME,
} from '../../../assembly/shared/frame-layout.ts';
import type { Family } from '../../address.ts';
import { type EngineFrameRing, FRAME_KINDS, type FrameCounters, type FrameKind, type RingShape, strideFor } from '../frame-ring.ts';
import { RECORD_CODES } from '../layouts.ts';
import type { Conntrack } from './conntrack.ts';
import { beginFlight, type Flight } from './flight.ts';
import { findRelated, isRefusedError, translateError } from './frame-errors.ts';
import { type ErrorHeaders, type PacketHeaders, readHeaders, readSctpChunk } from './frame-headers.ts';
import { readTuple, rewrite } from './frame-rewrite.ts';
import type { NameTable } from './names.ts';
import type { PacketVerdict } from './packet.ts';
import { hookOf } from './records.ts';
import { countTraffic, type Traffic } from './traffic.ts';

/** What the engine does for frames. */
export interface FrameEngine {
  readonly conntrack: Conntrack;
  readonly interfaces: NameTable;
  readonly now: number;
  /** Before each frame. */
  begin(): void;
  run(flight: Flight, family: Family): PacketVerdict;
}

export function createFrameRing(shape: RingShape, transmit: EngineFrameRing | undefined): EngineFrameRing {
  const stride = strideFor(shape.frameBytes);
  const slots = new Uint8Array(shape.capacity * stride);
  const records = new Uint32Array((shape.capacity * FRAME_SIZE) / 4);
  return { ...shape, stride, transmit, slots: () => slots, records: () => records, count: 0 };
}

/** Kinds that pass as they are. */
const PASSING: ReadonlySet<FrameKind> = new Set(['unrelated', 'notIP', 'otherProtocol']);

export class Frames {
  readonly #engine: FrameEngine;
  readonly #counters: Record<FrameKind, number>;
  readonly traffic: Traffic = new Map();

  constructor(engine: FrameEngine) {
    this.#engine = engine;
    this.#counters = Object.fromEntries(Object.keys(FRAME_KINDS).map((kind) => [kind, 0])) as Record<FrameKind, number>;
  }

  counters(): FrameCounters {
    return { ...this.#counters };
  }

  process(ring: EngineFrameRing): void {
    if (ring.transmit !== undefined) ring.transmit.count = 0;
    for (let number = 0; number < ring.count; number++) this.#processFrame(ring, number);
  }

  #processFrame(ring: EngineFrameRing, number: number): void {
    this.#engine.begin();
    const record = recordAt(ring, number);
    const length = Math.min(record.getUint32(FRAME_LENGTH, true), ring.stride - SLOT_FRAME);
    const frame = frameAt(ring, number, length);
    const headers = readHeaders(frame, Math.max(length, record.getUint32(FRAME_WIRE_LENGTH, true)), ring.isRawIp);
    if (headers.kind === 'packet') this.#processPacket(ring, number, frame, headers.packet);
    else if (headers.kind === 'error') this.#processError(ring, number, frame, headers.error);
    else this.#finish(ring, number, headers.kind, PASSING.has(headers.kind) || (headers.kind === 'fragment' && ring.passesFragments));
  }

  #processPacket(ring: EngineFrameRing, number: number, frame: DataView, packet: PacketHeaders): void {
    const record = recordAt(ring, number);
    const flight = beginFlight(packet.protocol, readTuple(frame, packet), {
      tcpFlags: packet.protocol === 'TCP' ? frame.getUint8(packet.transport + 13) : 0,
      sctpChunk: packet.protocol === 'SCTP' ? readSctpChunk(frame, packet) : undefined,
      hook: hookOf(record.getUint8(FRAME_HOOK)),
      inInterface: this.#engine.interfaces.name(record.getUint16(FRAME_HOOK + 1, true)) ?? '',
      mark: record.getUint32(FRAME_MARK, true),
    });
    const verdict = this.#engine.run(flight, packet.family);
    const passes = verdict.action === 'ACCEPT' || verdict.action === 'DNAT';
    const leaving = this.#finish(ring, number, 'packet', passes, verdict);
    if (leaving === undefined) return;
    rewrite(leaving, packet, verdict.translated);
    countTraffic(this.traffic, verdict.servicePort, verdict.connection === 'REPLY', packet.packetBytes);
  }

  #processError(ring: EngineFrameRing, number: number, frame: DataView, error: ErrorHeaders): void {
    const finding = findRelated(frame, error, this.#engine.conntrack, this.#engine.now);
    if (finding.kind !== 'related') {
      this.#finish(ring, number, finding.kind, PASSING.has(finding.kind));
      return;
    }
    const leaving = this.#finish(ring, number, 'related', !isRefusedError(frame, error, finding.related));
    if (leaving !== undefined) translateError(leaving, error, finding.related);
  }

  /** Writes what became of a frame. The frame that leaves, to be rewritten; undefined: none. */
  #finish(ring: EngineFrameRing, number: number, kind: FrameKind, passes: boolean, verdict?: PacketVerdict): DataView | undefined {
    const { action, connection } = RECORD_CODES;
    const record = recordAt(ring, number);
    const plain = passes ? action.ACCEPT : action.DROP;
    const outcome =
      verdict === undefined
        ? plain
        : action[verdict.action] | (connection[verdict.connection] << 8) | ((verdict.isMasquerade ? RECORD_CODES.masquerade : 0) << 16);
    record.setUint32(FRAME_ACTION, (outcome | (FRAME_KINDS[kind] << 24)) >>> 0, true);
    record.setUint32(FRAME_SERVICE_PORT, verdict?.servicePort ?? 0, true);
    record.setUint32(FRAME_PEER, PEER_NONE, true);
    record.setUint32(FRAME_RULES, verdict?.rulesEvaluated ?? 0, true);
    this.#counters[kind]++;
    return passes ? leave(ring, number) : undefined;
  }
}

/** The frame in place, or its copy in the next slot of the transmit ring. */
function leave(ring: EngineFrameRing, number: number): DataView {
  const record = recordAt(ring, number);
  const length = Math.min(record.getUint32(FRAME_LENGTH, true), ring.stride - SLOT_FRAME);
  const { transmit } = ring;
  if (transmit === undefined) return frameAt(ring, number, length);
  const place = transmit.count++;
  const from = number * ring.stride;
  transmit.slots().set(ring.slots().subarray(from, from + SLOT_FRAME + length), place * transmit.stride);
  const words = FRAME_SIZE / 4;
  transmit.records().set(ring.records().subarray(number * words, (number + 1) * words), place * words);
  recordAt(transmit, place).setUint32(FRAME_PEER, number, true);
  record.setUint32(FRAME_PEER, place, true);
  return frameAt(transmit, place, length);
}

function recordAt(ring: EngineFrameRing, number: number): DataView {
  const records = ring.records();
  return new DataView(records.buffer, records.byteOffset + number * FRAME_SIZE, FRAME_SIZE);
}

function frameAt(ring: EngineFrameRing, number: number, length: number): DataView {
  const slots = ring.slots();
  return new DataView(slots.buffer, slots.byteOffset + number * ring.stride + SLOT_FRAME, length);
}
