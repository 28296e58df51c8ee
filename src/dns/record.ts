// Resource records as answers are made of them, and the codes of types and rcodes. Written to the wire by wire/.
import type { Address } from '../address.ts';

interface RecordHead {
  /** Absolute, in the case it is answered with. */
  readonly name: string;
  readonly ttl: number;
}

export interface AddressRecord extends RecordHead {
  readonly type: 'A' | 'AAAA';
  readonly address: Address;
}

export interface NameRecord extends RecordHead {
  readonly type: 'CNAME' | 'NS' | 'PTR';
  readonly target: string;
}

export interface ServiceRecord extends RecordHead {
  readonly type: 'SRV';
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

export interface TextRecord extends RecordHead {
  readonly type: 'TXT';
  readonly strings: readonly string[];
}

export interface AuthorityRecord extends RecordHead {
  readonly type: 'SOA';
  readonly mname: string;
  readonly rname: string;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

export type ResourceRecord = AddressRecord | NameRecord | ServiceRecord | TextRecord | AuthorityRecord;

/** The types that are answered or asked about by name. Others are numbers. */
export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  NAPTR: 35,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  TLSA: 52,
  SVCB: 64,
  HTTPS: 65,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
  CAA: 257,
} as const;

export const CLASS_IN = 1;

export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;

const typeNames = new Map<number, string>(Object.entries(TYPE).map(([name, code]) => [code, name]));
const typeCodes = new Map<string, number>(Object.entries(TYPE));
const rcodeNames = new Map<number, string>(Object.entries(RCODE).map(([name, code]) => [code, name]));

/** `A`, or `TYPE65534` as RFC 3597 writes a type without a name. */
export function typeName(code: number): string {
  return typeNames.get(code) ?? `TYPE${code}`;
}

/** The number of a type, whatever the case of its name. */
export function typeCode(name: string): number | undefined {
  const upper = name.toUpperCase();
  const numbered = /^TYPE(\d{1,5})$/.exec(upper)?.[1];
  const code = typeCodes.get(upper) ?? (numbered === undefined ? undefined : Number(numbered));
  return code !== undefined && code <= 0xffff ? code : undefined;
}

/** Asks for a whole zone, not for a name. */
export function isTransferType(code: number): boolean {
  return code === TYPE.AXFR || code === TYPE.IXFR;
}

export function rcodeName(code: number): string {
  return rcodeNames.get(code) ?? `RCODE${code}`;
}
