// The twin for frames: typed arrays over slots of 64 bytes, plain Ethernet, IPv4 without options and TCP, as a hand would write it for exactly
// this workload: the same checks, the same connection tracking, the same incremental checksums, out through a transmit ring.

import type { BenchRing, FrameProcessor, ProcessorBatch, ProcessorCounters } from '../processor.ts';
import {
  ENTRY_EXPIRES_AT,
  ENTRY_IS_DNAT,
  ENTRY_PACKETS,
  ENTRY_SERVICE,
  ENTRY_STATE,
  ENTRY_TUPLES,
  type TwinConnections,
} from './connections.ts';
import { FrameSlots, SLOT_BYTES } from './frame-slots.ts';
import { nextState, STATE_IGNORE, STATE_INVALID, TIMEOUTS_MS } from './tcp.ts';
import type { Twin } from './twin.ts';

const WORDS = SLOT_BYTES / 4;
const HALVES = SLOT_BYTES / 2;
const SLOTS_OUT = 1024;

// Places in a slot, by the width that they are read with.
const ETHERTYPE_HALF = 7;
const IP_BYTE = 16;
const IP_HALF = 8;
const TOTAL_LENGTH_BYTE = 18;
const FRAGMENT_HALF = 11;
const PROTOCOL_BYTE = 25;
const IP_CHECKSUM_HALF = 13;
const SOURCE_WORD = 7;
const DESTINATION_WORD = 8;
const PORTS_WORD = 9;
const DATA_OFFSET_BYTE = 48;
const FLAGS_BYTE = 49;
const TCP_CHECKSUM_HALF = 26;

const IPV4 = 0x0008;
const PLAIN_HEADER = 0x45;
const FRAGMENT = 0xff3f;
const TCP = 6;
const HEADERS = 40;

export class TwinFrames implements FrameProcessor {
  readonly #twin: Twin;
  readonly #connections: TwinConnections;
  readonly #nowMs: number;
  readonly #out = new FrameSlots(SLOTS_OUT);
  /** By Service: packets, bytes, replies, their bytes. */
  readonly #traffic: Float64Array;
  #packets = 0;
  #established = 0;

  constructor(twin: Twin, serviceCount: number, nowMs: number) {
    this.#twin = twin;
    this.#connections = twin.connections;
    this.#nowMs = nowMs;
    this.#traffic = new Float64Array(serviceCount * 4);
  }

  createBatch(capacity: number): ProcessorBatch {
    return this.#twin.createBatch(capacity);
  }

  counters(): ProcessorCounters {
    const before = this.#twin.counters();
    return { ...before, packets: before.packets + this.#packets, established: before.established + this.#established };
  }

  createRing(capacity: number): BenchRing {
    const slots = new FrameSlots(capacity);
    let left = 0;
    return {
      set: (index, frame) => slots.set(index, frame),
      process: () => {
        left = this.#process(slots, capacity);
      },
      frame: (index) => this.#out.frame(index, slots.lengths[index] ?? 0),
      get left() {
        return left;
      },
    };
  }

  /** How many frames left. */
  #process(slots: FrameSlots, count: number): number {
    let left = 0;
    for (let index = 0; index < count; index++) left += this.#processFrame(slots, index, slots.lengths[index] ?? 0, left);
    this.#packets += count;
    return left;
  }

  #processFrame(slots: FrameSlots, index: number, length: number, place: number): number {
    const { bytes, halves, words } = slots;
    const byte = index * SLOT_BYTES;
    const half = index * HALVES;
    const word = index * WORDS;
    if (halves[half + ETHERTYPE_HALF] !== IPV4 || bytes[byte + IP_BYTE] !== PLAIN_HEADER || length < 14 + HEADERS) return 0;
    const total = ((bytes[byte + TOTAL_LENGTH_BYTE] ?? 0) << 8) | (bytes[byte + TOTAL_LENGTH_BYTE + 1] ?? 0);
    if (total < HEADERS || total > length - 14 || ((halves[half + FRAGMENT_HALF] ?? 0) & FRAGMENT) !== 0) return 0;
    if (bytes[byte + PROTOCOL_BYTE] !== TCP || (bytes[byte + DATA_OFFSET_BYTE] ?? 0) < 0x50) return 0;
    let sum = 0;
    for (let at = half + IP_HALF; at < half + IP_HALF + 10; at++) sum += halves[at] ?? 0;
    sum = (sum & 0xffff) + (sum >>> 16);
    if (sum !== 0xffff) return 0;
    const connections = this.#connections;
    const reference = connections.find(words, word + SOURCE_WORD);
    if (reference < 0) throw new Error('a frame of the workload belongs to no connection');
    const entries = connections.words;
    const isReply = reference & 1;
    const at = (reference >>> 1) * connections.entryWords;
    if ((connections.expiresAt[at / 2 + ENTRY_EXPIRES_AT] ?? 0) <= this.#nowMs) throw new Error('a connection of the workload has expired');
    const next = nextState(isReply, bytes[byte + FLAGS_BYTE] ?? 0, entries[at + ENTRY_STATE] ?? 0);
    if (next === STATE_INVALID) return 0;
    if (next !== STATE_IGNORE) {
      entries[at + ENTRY_STATE] = next;
      connections.expiresAt[at / 2 + ENTRY_EXPIRES_AT] = this.#nowMs + (TIMEOUTS_MS[next] ?? 0);
    }
    entries[at + ENTRY_PACKETS + isReply] = (entries[at + ENTRY_PACKETS + isReply] ?? 0) + 1;
    if (isReply === 0) this.#established++;
    const other = at + ENTRY_TUPLES + (1 - isReply) * connections.tuples.words;
    const otherPorts = entries[other + 2] ?? 0;
    this.#leave(slots, index, place, entries[other + 1] ?? 0, entries[other] ?? 0, (otherPorts << 16) | (otherPorts >>> 16));
    if (entries[at + ENTRY_IS_DNAT] !== 0) {
      const traffic = (entries[at + ENTRY_SERVICE] ?? 0) * 4 + isReply * 2;
      this.#traffic[traffic] = (this.#traffic[traffic] ?? 0) + 1;
      this.#traffic[traffic + 1] = (this.#traffic[traffic + 1] ?? 0) + total;
    }
    return 1;
  }

  /** Copies a frame to its place in the transmit ring and rewrites it there. */
  #leave({ words, halves }: FrameSlots, index: number, place: number, source: number, destination: number, ports: number): void {
    const out = this.#out.words;
    const from = index * WORDS;
    const to = place * WORDS;
    for (let word = 0; word < WORDS; word++) out[to + word] = words[from + word] ?? 0;
    const addresses = changeOf(words[from + SOURCE_WORD] ?? 0, source) + changeOf(words[from + DESTINATION_WORD] ?? 0, destination);
    out[to + SOURCE_WORD] = source;
    out[to + DESTINATION_WORD] = destination;
    const both = addresses + changeOf(words[from + PORTS_WORD] ?? 0, ports);
    out[to + PORTS_WORD] = ports;
    const outHalves = this.#out.halves;
    const half = index * HALVES;
    const outHalf = place * HALVES;
    outHalves[outHalf + IP_CHECKSUM_HALF] = changed(halves[half + IP_CHECKSUM_HALF] ?? 0, addresses);
    outHalves[outHalf + TCP_CHECKSUM_HALF] = changed(halves[half + TCP_CHECKSUM_HALF] ?? 0, both);
  }
}

/** ~before + after, in halves that do not overflow. */
function changeOf(before: number, after: number): number {
  return (~before & 0xffff) + (~before >>> 16) + (after & 0xffff) + (after >>> 16);
}

function changed(checksum: number, change: number): number {
  let sum = (~checksum & 0xffff) + change;
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
