// ExternalName Services: the CNAME, and what stands behind its target.
import { isWithin } from './domain-name.ts';
import { type AnswerContext, findName } from './find-name.ts';
import { type Question, questionIn } from './question.ts';
import type { ResourceRecord } from './record.ts';
import { addressRecords } from './target-records.ts';

export interface AliasAnswer {
  /** CNAMEs first to last, then addresses; empty when the chain leads nowhere. */
  readonly records: readonly ResourceRecord[];
  readonly truncated: boolean;
}

/** A chain of one more leads nowhere. */
const CHAIN_MAX = 11;
const NOWHERE: AliasAnswer = { records: [], truncated: false };

/**
 * Follows an alias. Inside the zone a chain that ends without addresses vanishes whole; a target elsewhere keeps its CNAME whatever
 * comes back from there.
 * @param chain lower-case targets so far
 */
export async function aliasAnswer(
  question: Question,
  target: string,
  context: AnswerContext,
  chain: readonly string[] = [],
): Promise<AliasAnswer> {
  const lowered = target.toLowerCase();
  if (isWithin(question.lowered, lowered) || chain.includes(lowered) || chain.length >= CHAIN_MAX) return NOWHERE;
  const alias: ResourceRecord = { name: question.name, type: 'CNAME', ttl: context.settings.ttl, target };
  if (!isWithin(question.zone.name, lowered)) {
    const { answer, truncated } = await context.elsewhere(target, question.type);
    return { records: [alias, ...answer], truncated };
  }
  const next = await addressesOf(questionIn(question.zone, target, question.type), context, [...chain, lowered]);
  return next.records.length === 0 ? { ...NOWHERE, truncated: next.truncated } : { ...next, records: [alias, ...next.records] };
}

async function addressesOf(question: Question, context: AnswerContext, chain: readonly string[]): Promise<AliasAnswer> {
  const found = findName(question, context);
  if (found.kind === 'alias') return aliasAnswer(question, found.target, context, chain);
  if (found.kind !== 'targets') return NOWHERE;
  return { records: addressRecords(question, found.targets, context.settings.ttl), truncated: false };
}
