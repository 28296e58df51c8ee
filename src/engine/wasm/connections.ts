// The connection tables from outside: reserves their memory once, reads entries as text, removes them. The core does the rest.
import {
  BUCKET_LOAD_MAX,
  BUCKET_SIZE,
  CT_EXPIRES_AT,
  CT_FLAG_ASSURED,
  CT_FLAG_CLOSE_BEGUN,
  CT_FLAG_DNAT,
  CT_FLAG_IPVS,
  CT_FLAG_LAST_RST,
  CT_FLAG_MASQUERADE,
  CT_FLAG_SEEN_REPLY,
  CT_FLAG_SNAT,
  CT_FLAGS,
  CT_ORIGINAL,
  CT_PACKETS_ORIGINAL,
  CT_PACKETS_REPLY,
  CT_PATHS,
  CT_REPLY_AFTER_V4,
  CT_REPLY_AFTER_V6,
  CT_SERVICE_PORT,
  CT_SIZE_V4,
  CT_SIZE_V6,
  CT_STATE,
  CT_TABLE_ENTRIES,
  CT_TABLE_HIGH_WATER,
  CT_TABLE_INDEX,
  CT_TABLE_LIMIT,
  CT_TABLE_LIVE,
  CT_TABLE_LIVE_MAX,
  CT_TABLE_LOW_MASK,
  CT_TABLE_OVERFLOW,
  CT_TABLE_OVERFLOW_END,
  CT_TABLE_OVERFLOW_HIGH_WATER,
} from '../../../assembly/shared/conntrack-layout.ts';
import { CLASS_NONE, PACKET_SIZE_V6 } from '../../../assembly/shared/layout.ts';
import { type Family, parseAddressWords } from '../../address.ts';
import type { TransportProtocol } from '../../packet.ts';
import { SCTP_STATES } from '../../program/sctp-states.ts';
import { TCP_STATES } from '../../program/tcp-states.ts';
import type { FoundConnection, TrackedConnection, TupleText } from '../engine.ts';
import { RECORD_CODES } from '../layouts.ts';
import { portsWord, protocolOf, readAddress, writeAddress } from '../packet-record.ts';
import type { Core } from './core.ts';
import type { LinearMemory } from './memory.ts';
import { swapPort } from './wire.ts';

const BUCKETS_AT_FIRST = 64;
const OVERFLOW_AT_LEAST = 64;
/** What the core's find adds to an entry. */
const IS_REPLY = 1;

/** The table of one family. */
export class ConnectionTable {
  readonly #core: Core;
  readonly #memory: LinearMemory;
  readonly #family: Family;
  readonly #table: number;
  /** Where a tuple stands while the core is asked for it. */
  readonly #asked: number;
  readonly #servicePortName: (id: number) => string | undefined;

  constructor(core: Core, memory: LinearMemory, family: Family, limit: number, servicePortName: (id: number) => string | undefined) {
    this.#core = core;
    this.#memory = memory;
    this.#family = family;
    this.#table = core.tableAddress(family);
    this.#servicePortName = servicePortName;
    this.#asked = memory.allocate(PACKET_SIZE_V6);
    this.#reserveIndex(limit);
    this.#set(CT_TABLE_ENTRIES, memory.allocate(limit * this.#entrySize));
    this.#set(CT_TABLE_LIMIT, limit);
  }

  /** Room for the tuples of so many connections; the core begins with few buckets and grows into it. */
  #reserveIndex(limit: number): void {
    const bucketsMax = Math.max(BUCKETS_AT_FIRST, 2 ** Math.ceil(Math.log2((2 * limit) / BUCKET_LOAD_MAX)));
    const index = this.#memory.allocate(bucketsMax * BUCKET_SIZE);
    const overflowSize = Math.max(OVERFLOW_AT_LEAST, bucketsMax / 2) * BUCKET_SIZE;
    const overflow = this.#memory.allocate(overflowSize);
    this.#set(CT_TABLE_INDEX, index);
    this.#set(CT_TABLE_LOW_MASK, (BUCKETS_AT_FIRST - 1) * BUCKET_SIZE);
    this.#set(CT_TABLE_LIVE, BUCKETS_AT_FIRST * BUCKET_SIZE);
    this.#set(CT_TABLE_LIVE_MAX, bucketsMax * BUCKET_SIZE);
    this.#set(CT_TABLE_OVERFLOW, overflow);
    this.#set(CT_TABLE_OVERFLOW_HIGH_WATER, overflow);
    this.#set(CT_TABLE_OVERFLOW_END, overflow + overflowSize);
  }

  /** Bytes of entries and index that were ever touched. */
  get usedBytes(): number {
    const overflow = this.#get(CT_TABLE_OVERFLOW_HIGH_WATER) - this.#get(CT_TABLE_OVERFLOW);
    return this.#get(CT_TABLE_HIGH_WATER) * this.#entrySize + this.#get(CT_TABLE_LIVE) + overflow;
  }

  /** Addresses of the entries that have not expired, in the order of their numbers. */
  *live(now: number): IterableIterator<number> {
    for (let number = 0; number < this.#get(CT_TABLE_HIGH_WATER); number++) {
      const entry = this.#get(CT_TABLE_ENTRIES) + number * this.#entrySize;
      if (this.#memory.bytes[entry] !== CLASS_NONE && this.#memory.data.getFloat64(entry + CT_EXPIRES_AT, true) > now) yield entry;
    }
  }

  remove(entry: number): void {
    this.#core.remove(this.#family, entry);
  }

  read(entry: number, now: number): TrackedConnection {
    const { bytes, data } = this.#memory;
    const flags = data.getUint16(entry + CT_FLAGS, true);
    const protocol = protocolOf(bytes[entry] ?? 0) ?? 'TCP';
    const state = stateName(protocol, bytes[entry + CT_STATE] ?? 0);
    const servicePort = this.#servicePortName(data.getUint32(entry + CT_SERVICE_PORT, true));
    return {
      family: this.#family,
      protocol,
      original: this.#readTuple(entry + CT_ORIGINAL),
      reply: this.#readTuple(entry + CT_ORIGINAL + (this.#family === 'IPv4' ? CT_REPLY_AFTER_V4 : CT_REPLY_AFTER_V6)),
      ...(state === undefined ? {} : { state }),
      seenReply: (flags & CT_FLAG_SEEN_REPLY) !== 0,
      assured: (flags & CT_FLAG_ASSURED) !== 0,
      masquerade: (flags & CT_FLAG_MASQUERADE) !== 0,
      dnat: (flags & CT_FLAG_DNAT) !== 0,
      packets: { original: data.getUint32(entry + CT_PACKETS_ORIGINAL, true), reply: data.getUint32(entry + CT_PACKETS_REPLY, true) },
      ...(servicePort === undefined ? {} : { servicePort }),
      expiresInMs: data.getFloat64(entry + CT_EXPIRES_AT, true) - now,
    };
  }

  /** The address is one of an entry here. */
  holds(entry: number): boolean {
    const entries = this.#get(CT_TABLE_ENTRIES);
    return entry >= entries && entry < entries + this.#get(CT_TABLE_HIGH_WATER) * this.#entrySize;
  }

  /** An expired connection still has the place of this tuple, in either direction. */
  holdsExpired(protocol: TransportProtocol, tuple: TupleText, now: number): boolean {
    const entry = entryOf(this.#lookup(protocol, tuple));
    return entry !== 0 && this.#isExpired(entry, now);
  }

  /** The connection that has the tuple in either direction. */
  find(protocol: TransportProtocol, tuple: TupleText, now: number): FoundConnection | undefined {
    const found = this.#lookup(protocol, tuple);
    const entry = entryOf(found);
    if (entry === 0 || this.#isExpired(entry, now)) return undefined;
    return this.#found(entry, this.read(entry, now), (found & IS_REPLY) === 0 ? 'original' : 'reply');
  }

  #lookup(protocol: TransportProtocol, tuple: TupleText): number {
    const { words } = this.#memory;
    const size = this.#addressSize / 4;
    const at = this.#asked / 4;
    writeAddress(words, at, parseAddressWords(tuple.source) ?? []);
    writeAddress(words, at + size, parseAddressWords(tuple.destination) ?? []);
    words[at + 2 * size] = portsWord(tuple.sourcePort, tuple.destinationPort);
    return this.#core.find(this.#family, this.#asked, RECORD_CODES.protocol[protocol]);
  }

  #isExpired(entry: number, now: number): boolean {
    return this.#memory.data.getFloat64(entry + CT_EXPIRES_AT, true) <= now;
  }

  #found(entry: number, connection: TrackedConnection, direction: 'original' | 'reply'): FoundConnection {
    const flags = this.#memory.data.getUint16(entry + CT_FLAGS, true);
    return {
      connection,
      direction,
      path: this.#memory.bytes[entry + CT_PATHS + (direction === 'original' ? 0 : 1)] ?? 0,
      viaIpvs: (flags & CT_FLAG_IPVS) !== 0,
      snat: (flags & (CT_FLAG_SNAT | CT_FLAG_MASQUERADE)) !== 0,
      isOver: (flags & (CT_FLAG_CLOSE_BEGUN | CT_FLAG_LAST_RST)) !== 0,
    };
  }

  #readTuple(at: number): TupleText {
    const ports = this.#memory.data.getUint32(at + this.#addressSize * 2, true);
    return {
      source: this.#readAddress(at),
      sourcePort: swapPort(ports & 0xffff),
      destination: this.#readAddress(at + this.#addressSize),
      destinationPort: swapPort(ports >>> 16),
    };
  }

  #readAddress(at: number): string {
    return readAddress(this.#memory.words, at / 4, this.#addressSize / 4);
  }

  get #addressSize(): number {
    return this.#family === 'IPv4' ? 4 : 16;
  }

  get #entrySize(): number {
    return this.#family === 'IPv4' ? CT_SIZE_V4 : CT_SIZE_V6;
  }

  #get(field: number): number {
    return this.#memory.words[(this.#table + field) / 4] ?? 0;
  }

  #set(field: number, value: number): void {
    this.#memory.words[(this.#table + field) / 4] = value;
  }
}

/** The entry in what the core's find gives; addresses beyond 2 GiB are no less unsigned. */
function entryOf(found: number): number {
  return (found & ~IS_REPLY) >>> 0;
}

function stateName(protocol: TransportProtocol, state: number): string | undefined {
  if (protocol === 'UDP') return undefined;
  return (protocol === 'TCP' ? TCP_STATES : SCTP_STATES)[state];
}
