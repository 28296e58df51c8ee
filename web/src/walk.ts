// The steps of a packet's way as a page shows them: by hook, with runs of rules that did not match folded together.

import type { Packet, Step } from 'svcplane';
import { formatEndpoint } from '../../src/address.ts';
import { ruleWords } from '../../src/cli/rule-words.ts';

/** Source and destination as the packet carries them. */
export interface Tuple {
  readonly source: string;
  readonly destination: string;
}

export interface WalkEntry {
  readonly kind: 'match' | 'miss' | 'chance' | 'info' | 'translation' | 'stop';
  /** Where: `nat KUBE-SERVICES #1`, `conntrack`. */
  readonly place: string;
  /** In plain words. */
  readonly words: string;
  /** The rule as its tool prints it. */
  readonly text?: string;
  /** The chance of this answer, 0-1. */
  readonly probability?: number;
  /** What the packet carries after this step. */
  readonly tuple: Tuple;
  /** Rules in a row that did not match, the last one being this entry's own. */
  readonly folded?: readonly { readonly place: string; readonly text: string }[];
}

export interface WalkStage {
  readonly title: string;
  readonly entries: readonly WalkEntry[];
}

export function tupleOf(packet: Packet): Tuple {
  return {
    source: formatEndpoint(packet.source, packet.sourcePort),
    destination: formatEndpoint(packet.destination, packet.destinationPort),
  };
}

export function walkStages(packet: Packet, steps: readonly Step[]): WalkStage[] {
  const stages: { title: string; entries: WalkEntry[] }[] = [];
  let tuple = tupleOf(packet);
  let stage: { title: string; entries: WalkEntry[] } | undefined;
  for (const step of steps) {
    if (step.kind === 'hook' || stage === undefined) {
      stage = { title: step.kind === 'hook' ? step.hook : 'conntrack', entries: [] };
      stages.push(stage);
      if (step.kind === 'hook') continue;
    }
    if (step.kind === 'translation') tuple = translated(tuple, step.text);
    addEntry(stage.entries, entryOf(step, tuple));
  }
  return stages.filter(({ entries, title }) => entries.length > 0 || title !== 'conntrack');
}

function addEntry(entries: WalkEntry[], entry: WalkEntry): void {
  const last = entries.at(-1);
  if (entry.kind !== 'miss' || last?.kind !== 'miss') {
    entries.push(entry);
    return;
  }
  const before = last.folded ?? [{ place: last.place, text: last.text ?? '' }];
  entries[entries.length - 1] = { ...entry, folded: [...before, { place: entry.place, text: entry.text ?? '' }] };
}

function translated(tuple: Tuple, text: string): Tuple {
  const [, end, to] = /^(source|destination) \S+ becomes (\S+)$/.exec(text) ?? [];
  if (to !== undefined) return end === 'source' ? { ...tuple, source: to } : { ...tuple, destination: to };
  const [, source, destination] = /^leaves as (\S+) to (\S+)$/.exec(text) ?? [];
  return source === undefined || destination === undefined ? tuple : { source, destination };
}

function entryOf(step: Exclude<Step, { kind: 'hook' }>, tuple: Tuple): WalkEntry {
  switch (step.kind) {
    case 'rule': {
      const place = `${step.table} ${step.chain} #${step.number}`;
      const chance = step.probability === undefined ? {} : { probability: step.probability };
      const kind = step.probability !== undefined ? 'chance' : step.matched ? ruleKind(step.text) : 'miss';
      return { kind, place, words: kind === 'miss' ? 'does not match' : ruleWords(step), text: step.text, ...chance, tuple };
    }
    case 'policy':
      return {
        kind: step.policy === 'drop' ? 'stop' : 'info',
        place: `${step.table} ${step.chain}`,
        words: `end of the chain, its policy: ${step.policy}`,
        tuple,
      };
    case 'conntrack':
      return { kind: step.connection === 'INVALID' ? 'stop' : 'info', place: 'conntrack', words: step.text, tuple };
    case 'routing':
      return { kind: 'info', place: 'routing', words: step.text, tuple };
    case 'ipvs':
      return {
        kind: step.probability === undefined ? 'match' : 'chance',
        place: 'IPVS',
        words: step.text,
        ...(step.probability === undefined ? {} : { probability: step.probability }),
        tuple,
      };
    case 'translation':
      return { kind: 'translation', place: 'conntrack', words: step.text, tuple };
  }
}

function ruleKind(text: string): WalkEntry['kind'] {
  return /(?:-j (?:DROP|REJECT)\b|\b(?:drop|reject)\b)/.test(text.replace(/--comment ("[^"]*"|\S+)/, '').replace(/comment "[^"]*"/, ''))
    ? 'stop'
    : 'match';
}
