// What is answered to one question, before it becomes a message.

import type { Absence } from './lookup.ts';
import { RCODE, type ResourceRecord } from './record.ts';

/** Why a reply holds no record; for explanations only. */
export type Reason = Absence | 'node' | 'noSuchType' | 'outside' | 'unsynced';

export interface Reply {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly answer: readonly ResourceRecord[];
  readonly authority: readonly ResourceRecord[];
  readonly additional: readonly ResourceRecord[];
  readonly reason?: Reason;
}

/** A reply of ours, or a message of another server that is passed on. */
export type Response = { readonly kind: 'reply'; readonly reply: Reply } | { readonly kind: 'forwarded'; readonly message: Uint8Array };

/** Nothing but an rcode: what is refused before any zone is looked at. */
export function bareReply(rcode: number, reason?: Reason): Reply {
  return {
    rcode,
    authoritative: false,
    truncated: false,
    answer: [],
    authority: [],
    additional: [],
    ...(reason === undefined ? {} : { reason }),
  };
}

export function positiveReply(answer: readonly ResourceRecord[], additional: readonly ResourceRecord[] = [], truncated = false): Reply {
  return { rcode: RCODE.NOERROR, authoritative: true, truncated, answer, authority: [], additional };
}

/** NODATA, NXDOMAIN, or SERVFAIL before the sync: one SOA in the authority section. */
export function negativeReply(rcode: number, soa: ResourceRecord, reason: Reason): Reply {
  return { rcode, authoritative: true, truncated: false, answer: [], authority: [soa], additional: [], reason };
}
