// A reply → the message that answers a query, within the size that the client can take.
import { TYPE } from '../record.ts';
import type { Reply } from '../reply.ts';
import { FLAG, RCODE_BITS, RCODE_MASK } from './header.ts';
import { MESSAGE_SIZE_MAX, type MessageWriter } from './message-writer.ts';
import type { Edns, MessageRead, QueryMessage } from './query-message.ts';

export type Transport = 'udp' | 'tcp';

const UDP_SIZE_DEFAULT = 512;
/** What fits into one IPv4 packet of the largest size. */
const UDP_SIZE_MAX = 65507;
const OPT_SIZE = 11;
/** Names can be compressed up to here, and any record fits behind the question. */
const TRANSFER_MESSAGE_SIZE = 0x4000;
const DNSSEC_OK = 0x8000;

/** The most bytes of a reply: all a message can have, unless it goes over UDP. */
export function sizeLimit({ edns }: QueryMessage, transport: Transport | undefined): number {
  if (transport !== 'udp') return MESSAGE_SIZE_MAX;
  return Math.min(UDP_SIZE_MAX, Math.max(UDP_SIZE_DEFAULT, edns?.udpSize ?? 0));
}

/** Whole if it fits; otherwise records are left out from the end and TC says so. */
export function writeReply(writer: MessageWriter, query: QueryMessage, reply: Reply, limit: number): Uint8Array {
  const { edns } = query;
  const room = limit - (edns === undefined ? 0 : OPT_SIZE);
  writer.begin();
  writer.question(query.questionBytes, query.name);
  const sections = [reply.answer, reply.authority, reply.additional];
  const counts: number[] = [];
  let isWhole = true;
  for (const records of sections) {
    const count: number = isWhole ? writer.records(records, room) : 0;
    isWhole &&= count === records.length;
    counts.push(count);
  }
  if (edns !== undefined) writer.raw(optRecord(edns, reply.rcode));
  const [answers = 0, authorities = 0, additionals = 0] = counts;
  const flags =
    FLAG.RESPONSE |
    query.flags |
    (reply.authoritative ? FLAG.AUTHORITATIVE : 0) |
    (reply.truncated || !isWhole ? FLAG.TRUNCATED : 0) |
    (reply.rcode & RCODE_MASK);
  writer.header([query.id, flags, 1, answers, authorities, additionals + (edns === undefined ? 0 : 1)]);
  return writer.finish();
}

/** As many messages as the records take (RFC 5936): a zone transfer. The question stands in the first one alone. */
export function writeTransfer(writer: MessageWriter, query: QueryMessage, reply: Reply): Uint8Array[] {
  const messages: Uint8Array[] = [];
  const opt = query.edns === undefined ? undefined : optRecord(query.edns, reply.rcode);
  const flags = FLAG.RESPONSE | query.flags | (reply.authoritative ? FLAG.AUTHORITATIVE : 0) | (reply.rcode & RCODE_MASK);
  for (let rest = reply.answer; messages.length === 0 || rest.length > 0; ) {
    const isFirst = messages.length === 0;
    writer.begin();
    if (isFirst) writer.question(query.questionBytes, query.name);
    const count = writer.records(rest, TRANSFER_MESSAGE_SIZE);
    if (opt !== undefined) writer.raw(opt);
    writer.header([query.id, flags, isFirst ? 1 : 0, count, 0, opt === undefined ? 0 : 1]);
    messages.push(writer.finish());
    rest = rest.slice(count);
  }
  return messages;
}

/** A header alone: what a message without a readable question is answered with. */
export function writeError(writer: MessageWriter, { id, flags, rcode }: MessageRead & { readonly kind: 'error' }): Uint8Array {
  writer.begin();
  writer.header([id, FLAG.RESPONSE | flags | rcode, 0, 0, 0, 0]);
  return writer.finish();
}

/** EDNS of version 0 without options. */
export function optRecord({ udpSize, dnssecOk }: Pick<Edns, 'udpSize' | 'dnssecOk'>, rcode: number): Uint8Array {
  const bytes = new Uint8Array(OPT_SIZE);
  const view = new DataView(bytes.buffer);
  // The root's name is one zero byte; the TTL field carries the upper bits of the rcode, the version and the flags.
  view.setUint16(1, TYPE.OPT);
  view.setUint16(3, udpSize);
  view.setUint8(5, rcode >>> RCODE_BITS);
  view.setUint16(7, dnssecOk ? DNSSEC_OK : 0);
  return bytes;
}
