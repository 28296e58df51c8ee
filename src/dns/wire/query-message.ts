// A message from a client → the question in it, or how it is turned away. dns-packet reads and checks the whole message; the question
// is read here a second time, for dns-packet keeps neither a dot inside a label nor bytes that are no UTF-8.
import { labelText, NAME_BYTES_MAX, ROOT } from '../domain-name.ts';
import { RCODE } from '../record.ts';
import { decodeMessage } from './decode.ts';
import { FLAG, HEADER_SIZE, OPCODE_MASK, OPCODE_SHIFT } from './header.ts';

/** EDNS as the client says it. */
export interface Edns {
  readonly udpSize: number;
  readonly version: number;
  readonly dnssecOk: boolean;
}

/** A well-formed query with one question. */
export interface QueryMessage {
  readonly id: number;
  /** The bits of the header that a reply repeats: opcode, RD and CD. */
  readonly flags: number;
  /** The question as it came, for the reply to repeat. */
  readonly questionBytes: Uint8Array;
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly edns?: Edns;
  /** Of an IXFR. */
  readonly serial?: number;
}

export type MessageRead =
  | { readonly kind: 'query'; readonly query: QueryMessage }
  /** Answered with a header alone. */
  | { readonly kind: 'error'; readonly id: number; readonly flags: number; readonly rcode: number }
  /** Not answered at all: a response, or too short to have an id. */
  | { readonly kind: 'ignored' };

const OPCODE_QUERY = 0;
const OPCODE_NOTIFY = 4;
const LABEL_TYPE_BITS = 0xc0;
const QUESTION_TAIL_SIZE = 4;

export function readMessage(bytes: Uint8Array): MessageRead {
  if (bytes.length < HEADER_SIZE) return { kind: 'ignored' };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const id = view.getUint16(0);
  const headerFlags = view.getUint16(2);
  if ((headerFlags & FLAG.RESPONSE) !== 0) return { kind: 'ignored' };
  const flags = headerFlags & (OPCODE_MASK | FLAG.RECURSION_DESIRED | FLAG.CHECKING_DISABLED);
  const error = (rcode: number): MessageRead => ({ kind: 'error', id, flags, rcode });
  const opcode = (headerFlags & OPCODE_MASK) >>> OPCODE_SHIFT;
  if (opcode !== OPCODE_QUERY && opcode !== OPCODE_NOTIFY) return error(RCODE.NOTIMP);
  const hasUsualCounts = view.getUint16(4) === 1 && view.getUint16(6) <= 1 && view.getUint16(8) <= 1 && view.getUint16(10) <= 2;
  const question = hasUsualCounts ? readQuestion(bytes, view) : undefined;
  const rest = question === undefined ? undefined : readRest(bytes);
  if (question === undefined || rest === undefined) return error(RCODE.FORMERR);
  return { kind: 'query', query: { id, flags, ...question, ...rest } };
}

/** EDNS and what an IXFR says; undefined when the message is malformed anywhere. */
function readRest(message: Uint8Array): Pick<QueryMessage, 'edns' | 'serial'> | undefined {
  const packet = decodeMessage(message);
  if (packet === undefined) return undefined;
  const options = (packet.additionals ?? []).flatMap((record) => (record.type === 'OPT' ? [record] : []));
  const [opt] = options;
  if (options.length > 1 || (opt !== undefined && opt.name !== ROOT)) return undefined;
  const [authority] = packet.authorities ?? [];
  const serial = authority?.type === 'SOA' ? authority.data.serial : undefined;
  return {
    ...(opt === undefined ? {} : { edns: { udpSize: opt.udpPayloadSize, version: opt.ednsVersion, dnssecOk: opt.flag_do } }),
    ...(serial === undefined ? {} : { serial }),
  };
}

/** Undefined when the question is cut off, or its name is compressed: nothing stands before it that it could point to. */
function readQuestion(message: Uint8Array, view: DataView): Pick<QueryMessage, 'questionBytes' | 'name' | 'type' | 'class'> | undefined {
  let name = '';
  let at = HEADER_SIZE;
  while (true) {
    const length = message[at];
    if (length === undefined || (length & LABEL_TYPE_BITS) !== 0) return undefined;
    at += 1 + length;
    if (length === 0) break;
    if (at - HEADER_SIZE >= NAME_BYTES_MAX) return undefined;
    name += `${labelText(latin1(message, at - length, at))}.`;
  }
  if (at + QUESTION_TAIL_SIZE > message.length) return undefined;
  return {
    questionBytes: message.subarray(HEADER_SIZE, at + QUESTION_TAIL_SIZE),
    name: name === '' ? ROOT : name,
    type: view.getUint16(at),
    class: view.getUint16(at + 2),
  };
}

/** A character for each byte from `start` up to `end`. */
function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] ?? 0);
  return text;
}
