// A comparison as a person reads it: the story on the first screen, then each reason with its Services, packets and places.
import { formatEndpoint } from '../address.ts';
import { type Answer, backendsOf, EFFECT_WORDS, type Effect, isMasqueraded } from '../diff/answer.ts';
import type { Change, Comparison, Finding, Reason } from '../diff/comparison.ts';
import type { Destination } from '../diff/questions.ts';
import type { Packet } from '../packet.ts';
import type { Paint } from './io.ts';
import { percent } from './rule-words.ts';
import { formatTable } from './table.ts';

export interface ComparisonTextContext {
  /** Both modes, or both states. */
  readonly from: string;
  readonly to: string;
  readonly nodes: readonly string[];
  readonly notes: readonly string[];
  /** `file:line` of a Service, or of its field that the reason names. */
  place(service: string, reason: Reason): string | undefined;
  readonly isVerbose: boolean;
  readonly paint: Paint;
}

const SERVICES_SHOWN = 5;
const CHANGES_SHOWN = 4;
const NAMES_SHOWN = 3;
const BACKENDS_SHOWN = 2;
const LINE_WIDTH = 110;
const CLIENT_KINDS = 5;

export function comparisonText(comparison: Comparison, context: ComparisonTextContext): string {
  const { findings } = comparison;
  const parts = [headline(comparison, context)];
  if (findings.length > 0)
    parts.push(overview(findings, context), ...findings.map((finding, index) => findingText(finding, index + 1, context)));
  if (context.notes.length > 0) parts.push(`Besides\n${context.notes.map((note) => wrapped(note, '  - ', '    ')).join('')}`);
  return parts.join('\n');
}

function headline({ services, changed, questions }: Comparison, { from, to, nodes, paint }: ComparisonTextContext): string {
  const same = services - changed;
  const verdict =
    changed === 0
      ? paint.green(services === 1 ? 'the only Service stays the same' : `all ${counted(services, 'Service')} stay the same`)
      : `${paint.red(`${counted(changed, 'Service')} change${changed === 1 ? 's' : ''}`)}, ${paint.green(`${same} stay${same === 1 ? 's' : ''} the same`)}`;
  const asked = `${questions} kinds of connection asked on ${nodes.join(', ')}`;
  return `${paint.bold(`${from} → ${to}`)}: ${verdict} (${asked})\n`;
}

function overview(findings: readonly Finding[], { paint }: ComparisonTextContext): string {
  const rows = findings.map(({ reason, effect, services }, index) => {
    const word = EFFECT_WORDS[effect];
    const names = services.slice(0, NAMES_SHOWN).map(({ service }) => service);
    const more = services.length - names.length;
    const who = services.length === 0 ? 'all alike' : `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
    return [
      String(index + 1),
      effect === 'lost' ? paint.red(word) : word,
      reason.title,
      services.length === 0 ? '-' : String(services.length),
      who,
    ];
  });
  return formatTable(['#', 'EFFECT', 'WHAT CHANGES', 'SERVICES', 'WHICH'], rows);
}

function findingText({ reason, effect, services, forAll }: Finding, number: number, context: ComparisonTextContext): string {
  const { isVerbose, paint } = context;
  const shown = isVerbose ? services : services.slice(0, SERVICES_SHOWN);
  const hidden = services.length - shown.length;
  return [
    `${paint.bold(`${number}. ${reason.title}`)}\n`,
    wrapped(reason.why, '   why  ', '        '),
    wrapped(reason.advice, '   do   ', '        '),
    ...shown.map(({ service, changes }) => {
      const place = context.place(service, reason);
      return `   ${paint.bold(service)}${place === undefined ? '' : `  ${paint.dim(place)}`}\n${changesText(changes, effect, context)}`;
    }),
    changesText(forAll, effect, context),
    hidden > 0 ? `   … and ${counted(hidden, 'Service')} more (-v shows them, -o json has every packet)\n` : '',
  ].join('');
}

function changesText(changes: readonly Change[], effect: Effect, { isVerbose, nodes }: ComparisonTextContext): string {
  const shown = isVerbose ? changes : changes.slice(0, CHANGES_SHOWN);
  const lines = shown.map((change) => {
    const { destination, clients, witness, before, after } = change;
    const where = nodes.length > 1 ? ` on ${change.nodes.join(', ')}` : '';
    const names = clients.length === CLIENT_KINDS ? 'anywhere' : clients.join(', ');
    const who = `${names}${where}, as ${formatEndpoint(witness.source, witness.sourcePort)}`;
    return `     ${destinationText(destination, witness)} from ${who}\n       ${answerPair(before, after, effect)}\n`;
  });
  const hidden = changes.length - shown.length;
  return lines.join('') + (hidden > 0 ? `     … and ${hidden} more changes\n` : '');
}

const DESTINATION_WORDS: Readonly<Record<Destination['kind'], string>> = {
  ClusterIP: 'ClusterIP',
  NodePort: 'NodePort',
  ExternalIP: 'external IP',
  LoadBalancerIP: 'load balancer IP',
  UnusedPort: 'a cluster IP at a port it does not have,',
  UnassignedAddress: 'a cluster IP that no Service has,',
};

function destinationText({ kind, address, port }: Destination, { protocol }: Packet): string {
  return `${DESTINATION_WORDS[kind]} ${formatEndpoint(address, port)}/${protocol}`;
}

function answerPair(before: Answer, after: Answer, effect: Effect): string {
  return effect === 'affinity' ? answerWords(after, effect) : `${answerWords(before, effect)} → ${answerWords(after, effect)}`;
}

function answerWords(answer: Answer, effect: Effect): string {
  const backends = backendsOf(answer);
  const refusals = answer.filter(({ backend }) => backend === undefined);
  const [only] = refusals;
  if (backends.length === 0) return refusals.length === 1 && only !== undefined ? REFUSAL_WORDS[only.action] : 'it depends';
  const shares = answer.filter(({ backend }) => backend !== undefined);
  const named = backends.length <= BACKENDS_SHOWN ? backends.join(' or ') : `${backends.length} backends`;
  const odds = effect === 'shares' ? ` (${shares.map(({ probability }) => percent(probability)).join(', ')})` : '';
  const refused = refusals.map(({ action, probability }) => `, ${REFUSAL_WORDS[action]} ${percent(probability)}`).join('');
  return `${named}${odds}${isMasqueraded(answer) ? ', masqueraded' : ''}${refused}`;
}

const REFUSAL_WORDS: Readonly<Record<Answer[number]['action'], string>> = {
  ACCEPT: 'no rule takes it',
  DNAT: 'sent on',
  DROP: 'dropped',
  REJECT: 'refused',
};

function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function wrapped(text: string, first: string, others: string): string {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(' ')) {
    if (line.length + word.length > LINE_WIDTH && line.trim() !== '') {
      lines.push(line.trimEnd());
      line = others;
    }
    line += `${word} `;
  }
  return `${[...lines, line.trimEnd()].join('\n')}\n`;
}
