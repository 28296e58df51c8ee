// A query → its response: the checks before any zone is looked at, the choice of the zone, and what goes to another resolver.
import { answer } from './answers.ts';
import { completions, firstAnswer } from './autopath.ts';
import type { NameSource } from './catalog.ts';
import { isWithin } from './domain-name.ts';
import type { AnswerContext, ElsewhereAnswer } from './find-name.ts';
import { type Question, questionIn } from './question.ts';
import { CLASS_IN, isTransferType, RCODE, type ResourceRecord } from './record.ts';
import { bareReply, type Reply, type Response } from './reply.ts';
import { type DnsSettings, zoneOf } from './settings.ts';
import { transfer } from './transfer.ts';
import { MessageWriter } from './wire/message-writer.ts';
import type { QueryMessage } from './wire/query-message.ts';
import type { Transport } from './wire/reply-message.ts';
import { type OtherRecord, readAnswer, type UpstreamAnswer, writeQuery } from './wire/upstream-message.ts';

/** Who asks, and over what. */
export interface QueryOrigin {
  /** The address the query came from: tells the Pod, for `autopath`. */
  readonly clientIP?: string;
  /** Limits the size of the reply; absent: no limit but that of a message. */
  readonly transport?: Transport;
}

export type Responder = (query: QueryMessage, message: Uint8Array, from: QueryOrigin) => Response | Promise<Response>;

/** Aliases from one served zone into another, one inside the other. */
const ZONE_CHANGES_MAX = 8;

export function createResponder(source: NameSource, settings: DnsSettings): Responder {
  const writer = new MessageWriter();
  const { zones, upstream, fallthrough } = settings;

  async function forward(message: Uint8Array): Promise<Response> {
    if (upstream === undefined) return reply(bareReply(RCODE.REFUSED, 'outside'));
    try {
      return { kind: 'forwarded', message: await upstream(message) };
    } catch {
      return reply(bareReply(RCODE.SERVFAIL, 'outside'));
    }
  }

  async function askUpstream(name: string, type: number, query: QueryMessage): Promise<UpstreamAnswer | undefined> {
    const { id, edns } = query;
    const response = await forward(writeQuery(writer, { id, name, type, ...(edns === undefined ? {} : { edns }) }));
    return response.kind === 'forwarded' ? readAnswer(response.message) : undefined;
  }

  function contextFor(query: QueryMessage, depth: number): AnswerContext {
    return { source, settings, elsewhere: (name, type) => elsewhere(name, type, query, depth) };
  }

  async function elsewhere(name: string, type: number, query: QueryMessage, depth: number): Promise<ElsewhereAnswer> {
    const zone = zoneOf(zones, name.toLowerCase());
    if (zone === undefined) {
      const found = await askUpstream(name, type, query);
      return { answer: (found?.answer ?? []).filter(isOurs), truncated: found?.truncated ?? false };
    }
    if (depth >= ZONE_CHANGES_MAX) return { answer: [], truncated: false };
    return answer(questionIn(zone, name, type), contextFor(query, depth + 1));
  }

  /** For autopath: any name, in our zones or not. */
  async function replyTo(name: string, type: number, query: QueryMessage): Promise<Reply> {
    const zone = zoneOf(zones, name.toLowerCase());
    if (zone !== undefined) return answer(questionIn(zone, name, type), contextFor(query, 0));
    const found = await askUpstream(name, type, query);
    if (found === undefined) return bareReply(RCODE.REFUSED, 'outside');
    const { rcode, truncated } = found;
    return { ...bareReply(rcode, 'outside'), truncated, answer: found.answer.filter(isOurs), authority: found.authority.filter(isOurs) };
  }

  function answerInZone(question: Question, query: QueryMessage, { clientIP, transport }: QueryOrigin): Reply | Promise<Reply> {
    const { name, type, zone } = question;
    if (isTransferType(type)) return transport === 'udp' ? bareReply(RCODE.REFUSED) : transfer(question, query.serial, source, settings);
    const names = settings.autopath === undefined ? [] : completions(name, zone.name, clientIP, source, settings);
    if (names.length > 1) return firstAnswer(names, name, (candidate) => replyTo(candidate, type, query));
    return answer(question, contextFor(query, 0));
  }

  function settle(question: Question, found: Reply, message: Uint8Array): Response | Promise<Response> {
    const isNameError = found.rcode === RCODE.NXDOMAIN || found.reason === 'unsynced';
    return isNameError && fallthrough.some((zone) => isWithin(zone, question.lowered)) ? forward(message) : reply(found);
  }

  return (query, message, from) => {
    if (query.class !== CLASS_IN) return reply(bareReply(RCODE.REFUSED));
    if (query.edns !== undefined && query.edns.version > 0) return reply(bareReply(RCODE.BADVERS));
    const zone = zoneOf(zones, query.name.toLowerCase());
    if (zone === undefined) return forward(message);
    const question = questionIn(zone, query.name, query.type);
    const found = answerInZone(question, query, from);
    return found instanceof Promise ? found.then((settled) => settle(question, settled, message)) : settle(question, found, message);
  };
}

function reply(made: Reply): Response {
  return { kind: 'reply', reply: made };
}

/** What an alias can be followed with: addresses and more aliases. Signatures could not cover the answer it becomes part of. */
function isOurs(record: ResourceRecord | OtherRecord): record is ResourceRecord {
  return record.type !== 'other';
}
