// One question within a zone: what every part of an answer is made from.
import { labelsOf } from './domain-name.ts';
import { type NameFields, readNameFields } from './name-grammar.ts';
import type { DnsSettings, Zone } from './settings.ts';

/** The name of the name server where no Service tells another, in front of the zone. */
export const DEFAULT_SERVER = 'ns.dns.';

export interface Question {
  /** As the query spells it. */
  readonly name: string;
  readonly lowered: string;
  readonly type: number;
  readonly zone: Zone;
  /** The zone as the query spells it: the case of every name that is made for the answer. */
  readonly spelledZone: string;
}

/** @param zone one that the name lies in */
export function questionIn(zone: Zone, name: string, type: number): Question {
  return { name, lowered: name.toLowerCase(), type, zone, spelledZone: name.slice(-zone.name.length) };
}

export function isApex({ lowered, zone }: Question): boolean {
  return lowered === zone.name;
}

/** Apex NS and `ns.dns` exist only under a zone spelled in lower case, for the plugin compares them so. */
export function isZoneLowerCase({ spelledZone, zone }: Question): boolean {
  return spelledZone === zone.name;
}

/** `ns.dns.<zone>`, which has the addresses of the name servers whatever these are called. */
export function isDefaultServer(question: Question): boolean {
  return question.lowered === `${DEFAULT_SERVER}${question.zone.name}` && isZoneLowerCase(question);
}

export function fieldsOfName({ lowered, zone }: Question, { zonal }: DnsSettings): NameFields | undefined {
  return readNameFields(lowered, zone.labelCount, { isMulticluster: zone.isMulticluster, zonal });
}

/** In the tree of reverse names, whichever zone that is served as. */
export function isReverseName(lowered: string): boolean {
  return lowered.endsWith('.in-addr.arpa.') || lowered.endsWith('.ip6.arpa.');
}

/** The labels left of the zone, in lower case. */
export function labelsBelow({ lowered, zone }: Question): string[] {
  const labels = labelsOf(lowered);
  return labels.slice(0, labels.length - zone.labelCount);
}
