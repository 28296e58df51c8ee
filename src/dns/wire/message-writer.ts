// Writes a message: names compressed, records until they no longer fit. One writer is used again for every message.
import { labelBytes, ROOT } from '../domain-name.ts';
import { CLASS_IN, type ResourceRecord, TYPE } from '../record.ts';
import { HEADER_SIZE } from './header.ts';

export const MESSAGE_SIZE_MAX = 65535;
/** The most bytes one record can take before its size is known: owner, fixed part, data of SOA or of a TXT string. */
const RECORD_SIZE_MAX = 2048;
const POINTER_BITS = 0xc000;
const POINTER_OFFSET_MAX = 0x3fff;
/** Behind a record's owner: type, class, TTL and length of the data. */
const RECORD_FIXED_SIZE = 10;

/** A buffer with a position. Compression keeps letter case: only equal spellings share bytes, so no name comes out in another's case. */
export class MessageWriter {
  readonly #bytes = new Uint8Array(MESSAGE_SIZE_MAX + RECORD_SIZE_MAX);
  readonly #view = new DataView(this.#bytes.buffer);
  /** Where a name, or the end of one, has been written. */
  readonly #offsets = new Map<string, number>();
  #at = 0;

  /** Begins a message; the header is written last, when its counts are known. */
  begin(): void {
    this.#offsets.clear();
    this.#at = HEADER_SIZE;
  }

  header(words: readonly number[]): void {
    for (const [index, word] of words.entries()) this.#view.setUint16(index * 2, word);
  }

  /** A question as it came, whose name later ones can point into. */
  question(bytes: Uint8Array, name: string): void {
    let at = this.#at;
    for (let rest = name; rest !== ROOT && rest !== ''; rest = rest.slice(rest.indexOf('.') + 1)) {
      this.#remember(rest, at);
      at += 1 + (bytes[at - this.#at] ?? 0);
    }
    this.raw(bytes);
  }

  /** A question of our own. */
  ask(name: string, type: number): void {
    this.#labels(name);
    this.#uint16(type);
    this.#uint16(CLASS_IN);
  }

  raw(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Writes records in order as long as the message stays within the limit; returns how many. */
  records(records: readonly ResourceRecord[], limit: number): number {
    let count = 0;
    for (const record of records) {
      const start = this.#at;
      this.#record(record);
      if (this.#at > limit) {
        this.#at = start;
        return count;
      }
      count++;
    }
    return count;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  #record(record: ResourceRecord): void {
    this.#name(record.name);
    const fixed = this.#at;
    this.#view.setUint16(fixed, TYPE[record.type]);
    this.#view.setUint16(fixed + 2, CLASS_IN);
    this.#view.setUint32(fixed + 4, record.ttl);
    this.#at += RECORD_FIXED_SIZE;
    this.#data(record);
    this.#view.setUint16(fixed + 8, this.#at - fixed - RECORD_FIXED_SIZE);
  }

  #data(record: ResourceRecord): void {
    switch (record.type) {
      case 'A':
      case 'AAAA':
        for (const word of record.address.words) this.#uint32(word);
        return;
      case 'CNAME':
      case 'NS':
      case 'PTR':
        this.#name(record.target);
        return;
      case 'SRV':
        for (const word of [record.priority, record.weight, record.port]) this.#uint16(word);
        // RFC 2782: the target itself is not compressed, but others may point to it.
        this.#labels(record.target);
        return;
      case 'TXT':
        for (const text of record.strings) this.#label(text);
        return;
      case 'SOA':
        this.#name(record.mname);
        this.#name(record.rname);
        for (const word of [record.serial, record.refresh, record.retry, record.expire, record.minimum]) this.#uint32(word);
    }
  }

  /** A name, from where it has been seen before as a pointer. */
  #name(name: string): void {
    let rest = name;
    while (rest !== ROOT && rest !== '') {
      const offset = this.#offsets.get(rest);
      if (offset !== undefined) {
        this.#uint16(POINTER_BITS | offset);
        return;
      }
      rest = this.#firstLabel(rest);
    }
    this.#uint8(0);
  }

  #labels(name: string): void {
    let rest = name;
    while (rest !== ROOT && rest !== '') rest = this.#firstLabel(rest);
    this.#uint8(0);
  }

  /** Writes the first label and returns the name behind it. */
  #firstLabel(name: string): string {
    this.#remember(name, this.#at);
    const dot = name.indexOf('.');
    this.#label(labelBytes(name.slice(0, dot)));
    return name.slice(dot + 1);
  }

  #label(bytes: string): void {
    this.#uint8(bytes.length);
    for (let index = 0; index < bytes.length; index++) this.#uint8(bytes.charCodeAt(index));
  }

  #remember(name: string, offset: number): void {
    if (offset <= POINTER_OFFSET_MAX && !this.#offsets.has(name)) this.#offsets.set(name, offset);
  }

  #uint8(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  #uint16(value: number): void {
    this.#view.setUint16(this.#at, value);
    this.#at += 2;
  }

  #uint32(value: number): void {
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
  }
}
