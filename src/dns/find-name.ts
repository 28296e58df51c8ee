// The question's name → what stands behind it, the fixed names of the zone included. Between the grammar and the answers.
import { nameServers } from './apex.ts';
import type { NameSource } from './catalog.ts';
import { type Found, lookup } from './lookup.ts';
import { NO_PORT } from './objects.ts';
import { fieldsOfName, isDefaultServer, isReverseName, type Question } from './question.ts';
import type { ResourceRecord } from './record.ts';
import type { DnsSettings } from './settings.ts';

/** What answering reads: the objects, the options, and the way to names of other zones. */
export interface AnswerContext {
  readonly source: NameSource;
  readonly settings: DnsSettings;
  /** Asks for a name that the zone at hand does not hold. */
  readonly elsewhere: Elsewhere;
}

export interface ElsewhereAnswer {
  readonly answer: readonly ResourceRecord[];
  readonly truncated: boolean;
}

export type Elsewhere = (name: string, type: number) => Promise<ElsewhereAnswer>;

/** What the name stands for, the fixed names of the zone included. */
export function findName(question: Question, { source, settings }: AnswerContext): Found {
  if (isDefaultServer(question)) {
    const targets = nameServers(question.zone.name, source, settings).map(({ address }) => ({
      owner: '',
      address,
      spelled: address.text,
      port: NO_PORT,
    }));
    return { kind: 'targets', targets };
  }
  const fields = fieldsOfName(question, settings);
  // Reverse names have no Services below them, though their zone's own svc and pod exist.
  if (fields !== undefined && fields.kind !== '' && isReverseName(question.lowered)) return { kind: 'absent', why: 'reverse' };
  return lookup(fields, question.zone.isMulticluster, source, settings);
}
