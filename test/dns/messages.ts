// Queries as clients send them and replies as they read them, with dns-packet on both sides of ours.
import { type Answer, type DecodedPacket, decode, encode } from 'dns-packet';
import { RCODE, typeCode } from '../../src/dns/record.ts';

export interface QuerySpec {
  readonly name: string;
  readonly type: string;
  readonly id?: number;
  /** Recursion desired; default false, as in the conformance data. */
  readonly rd?: boolean;
  readonly edns?: { readonly udpSize: number; readonly do: boolean; readonly version: number };
  readonly ixfrSerial?: number;
}

const DEFAULT_ID = 0x1234;
const RECURSION_DESIRED = 0x0100;
const DNSSEC_OK = 0x8000;
/** Type and class end a question. */
const QUESTION_TAIL_SIZE = 4;

export function queryMessage({ name, type, id = DEFAULT_ID, rd = false, edns, ixfrSerial }: QuerySpec): Uint8Array {
  const soa = { mname: '.', rname: '.', serial: ixfrSerial ?? 0, refresh: 0, retry: 0, expire: 0, minimum: 0 };
  const flags = rd ? RECURSION_DESIRED : 0;
  const header = { type: 'query', id, flags, questions: [{ name, type: 'A' }] } as const;
  const message = encode({
    ...header,
    questions: [...header.questions],
    authorities: ixfrSerial === undefined ? [] : [{ name, type: 'SOA', data: soa }],
    additionals: edns === undefined ? [] : [optOf(edns)],
  });
  // dns-packet does not know every type, so the number is put in place.
  const questionEnd = encode({ ...header, questions: [...header.questions] }).length;
  message.writeUInt16BE(typeCode(type) ?? 0, questionEnd - QUESTION_TAIL_SIZE);
  return message;
}

export interface ReadReply extends DecodedPacket {
  /** With the upper bits that OPT carries. */
  readonly rcode: number;
}

export function readReply(message: Uint8Array): ReadReply {
  const bytes = Buffer.from(message);
  const packet = decode(bytes);
  const opt = packet.additionals?.find(({ type }) => type === 'OPT');
  const upperBits = opt?.type === 'OPT' ? opt.extendedRcode : 0;
  return { ...packet, rcode: (upperBits << 4) | (bytes.readUInt16BE(2) & 0xf) };
}

export function rcodeNumber(name: string): number {
  return new Map<string, number>(Object.entries(RCODE)).get(name) ?? 0;
}

function optOf({ udpSize, version, do: dnssecOk }: NonNullable<QuerySpec['edns']>): Answer {
  return {
    name: '.',
    type: 'OPT',
    udpPayloadSize: udpSize,
    extendedRcode: 0,
    ednsVersion: version,
    flags: dnssecOk ? DNSSEC_OK : 0,
    flag_do: dnssecOk,
    options: [],
  };
}
