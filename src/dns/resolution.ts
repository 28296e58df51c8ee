// Resolving a name as a client does: every query it sends, what each meets, and the answer. What `resolve` and `explain` show.

import { type AddressRecord, RCODE, type ResourceRecord, rcodeName } from './record.ts';
import type { Reason, Response } from './reply.ts';
import type { PodResolver } from './resolv-conf.ts';
import { type OtherRecord, readAnswer } from './wire/upstream-message.ts';

/** A resource record, with addresses as text. */
export type DnsRecord =
  | Exclude<ResourceRecord, AddressRecord>
  | { readonly name: string; readonly ttl: number; readonly type: 'A' | 'AAAA'; readonly address: string }
  | OtherRecord;

/** OUTSIDE: a name that cluster DNS does not serve, and has no other resolver to ask. FAILURE: a server said that it cannot tell. */
export type ResolutionOutcome = 'ANSWER' | 'NODATA' | 'NXDOMAIN' | 'OUTSIDE' | 'FAILURE';

/** One query and what it met. */
export interface ResolutionStep {
  /** Absolute. */
  readonly name: string;
  readonly outcome: ResolutionOutcome;
  readonly rcode: string;
  readonly answer: readonly DnsRecord[];
  readonly authority: readonly DnsRecord[];
  readonly additional: readonly DnsRecord[];
  /** Why there was no answer, when cluster DNS knows. */
  readonly reason?: Reason;
}

/** What a name leads to: the last step, and all steps before it. */
export interface Resolution extends ResolutionStep {
  readonly type: string;
  /** Every query, in order: one, or those of the search list when a Pod asks. */
  readonly steps: readonly ResolutionStep[];
  /** The search list and ndots of the Pod that asks. */
  readonly resolvConf?: PodResolver;
}

/** A step that was never sent to cluster DNS. */
export function outsideStep(name: string): ResolutionStep {
  return { name, outcome: 'OUTSIDE', rcode: rcodeName(RCODE.REFUSED), answer: [], authority: [], additional: [], reason: 'outside' };
}

export function stepOf(name: string, response: Response): ResolutionStep {
  if (response.kind === 'reply') {
    const { rcode, answer, authority, additional, reason } = response.reply;
    const records = { answer: answer.map(shown), authority: authority.map(shown), additional: additional.map(shown) };
    const outcome = reason === 'outside' && rcode === RCODE.REFUSED ? 'OUTSIDE' : outcomeOf(rcode, answer.length);
    return { name, outcome, rcode: rcodeName(rcode), ...records, ...(reason === undefined ? {} : { reason }) };
  }
  const read = readAnswer(response.message);
  if (read === undefined) return { ...outsideStep(name), outcome: 'FAILURE', rcode: rcodeName(RCODE.SERVFAIL) };
  const { rcode, answer, authority } = read;
  return {
    name,
    outcome: outcomeOf(rcode, answer.length),
    rcode: rcodeName(rcode),
    answer: answer.map(shown),
    authority: authority.map(shown),
    additional: [],
  };
}

/** Every resolver goes on behind a name that does not exist; NODATA and an answer end the walk (glibc also goes on at NODATA). */
export function endsWalk({ outcome }: ResolutionStep): boolean {
  return outcome === 'ANSWER' || outcome === 'NODATA';
}

function outcomeOf(rcode: number, answerCount: number): ResolutionOutcome {
  if (rcode === RCODE.NXDOMAIN) return 'NXDOMAIN';
  if (rcode !== RCODE.NOERROR) return 'FAILURE';
  return answerCount > 0 ? 'ANSWER' : 'NODATA';
}

function shown(record: ResourceRecord | OtherRecord): DnsRecord {
  return 'address' in record ? { ...record, address: record.address.text } : record;
}
