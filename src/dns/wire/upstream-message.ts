// Messages to and from other resolvers: a question of our own, their answer as records, and their answer passed on.
import type { Answer } from 'dns-packet';
import { parseAddress } from '../../address.ts';
import { readName } from '../domain-name.ts';
import type { ResourceRecord } from '../record.ts';
import { decodeMessage } from './decode.ts';
import { FLAG, HEADER_SIZE, RCODE_MASK } from './header.ts';
import type { MessageWriter } from './message-writer.ts';
import type { Edns } from './query-message.ts';
import { optRecord } from './reply-message.ts';

/** A record of a type that no answer of ours is made of; `data` is JSON of what dns-packet reads. */
export interface OtherRecord {
  readonly name: string;
  readonly ttl: number;
  readonly type: 'other';
  readonly typeName: string;
  readonly data: string;
}

export interface UpstreamAnswer {
  readonly rcode: number;
  readonly truncated: boolean;
  readonly answer: readonly (ResourceRecord | OtherRecord)[];
  readonly authority: readonly (ResourceRecord | OtherRecord)[];
}

/** A query that asks for recursion. */
export function writeQuery(writer: MessageWriter, question: { id: number; name: string; type: number; edns?: Edns }): Uint8Array {
  const { id, name, type, edns } = question;
  writer.begin();
  writer.ask(name, type);
  if (edns !== undefined) writer.raw(optRecord(edns, 0));
  writer.header([id, FLAG.RECURSION_DESIRED, 1, 0, 0, edns === undefined ? 0 : 1]);
  return writer.finish();
}

/** Undefined when it is no response at all. */
export function readAnswer(message: Uint8Array): UpstreamAnswer | undefined {
  if (message.length < HEADER_SIZE) return undefined;
  const flags = new DataView(message.buffer, message.byteOffset).getUint16(2);
  const packet = (flags & FLAG.RESPONSE) === 0 ? undefined : decodeMessage(message);
  if (packet === undefined) return undefined;
  const { answers = [], authorities = [] } = packet;
  return {
    rcode: flags & RCODE_MASK,
    truncated: (flags & FLAG.TRUNCATED) !== 0,
    answer: answers.map(recordOf),
    authority: authorities.map(recordOf),
  };
}

/** Another server's message as the reply to the query of that id; undefined when it does not fit. */
export function passOn(message: Uint8Array, id: number, limit: number): Uint8Array | undefined {
  if (message.length < HEADER_SIZE || message.length > limit) return undefined;
  const passed = message.slice();
  new DataView(passed.buffer).setUint16(0, id);
  return passed;
}

function recordOf(answer: Answer): ResourceRecord | OtherRecord {
  const head = { name: absolute(answer.name), ttl: answer.type === 'OPT' ? 0 : (answer.ttl ?? 0) };
  switch (answer.type) {
    case 'A':
    case 'AAAA': {
      const address = parseAddress(answer.data);
      // An IPv4-mapped address in an AAAA would turn into four bytes.
      const isWhole = address?.family === (answer.type === 'A' ? 'IPv4' : 'IPv6');
      return address === undefined || !isWhole ? otherRecord(head, answer) : { ...head, type: answer.type, address };
    }
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return { ...head, type: answer.type, target: absolute(answer.data) };
    case 'SRV': {
      const { priority = 0, weight = 0, port, target } = answer.data;
      return { ...head, type: 'SRV', priority, weight, port, target: absolute(target) };
    }
    case 'SOA': {
      const { mname, rname, serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0 } = answer.data;
      return { ...head, type: 'SOA', mname: absolute(mname), rname: absolute(rname), serial, refresh, retry, expire, minimum };
    }
    case 'TXT':
      return {
        ...head,
        type: 'TXT',
        strings: [answer.data].flat().map((text) => (typeof text === 'string' ? text : text.toString('latin1'))),
      };
    default:
      return otherRecord(head, answer);
  }
}

function otherRecord(head: { readonly name: string; readonly ttl: number }, answer: Answer): OtherRecord {
  return { ...head, type: 'other', typeName: answer.type, data: 'data' in answer ? JSON.stringify(answer.data) : '' };
}

function absolute(name: string): string {
  return readName(name) ?? '.';
}
