// The way of a packet through hooks, chains and rules, in sentences; where outcomes part, each gets its own branch.
import { formatEndpoint } from '../address.ts';
import { REJECT_CHAIN } from '../compile/nft-names.ts';
import type { Outcome, Step } from '../dataplane-types.ts';
import type { Paint } from './io.ts';
import { percent, ruleWords } from './rule-words.ts';

/** Ways shown one by one; the others differ from them only in the backend. */
const BRANCHES_MAX = 3;

export interface WayFormat {
  /** With the rules' own text below each sentence. */
  readonly isVerbose: boolean;
  readonly paint: Paint;
}

/** What the outcomes share at first, then each on its own, then what they share at the end. */
export function wayText(outcomes: readonly Outcome[], rulesEvaluated: number, format: WayFormat): string {
  const paths = outcomes.map((outcome) => readable(outcome.path));
  const [first = []] = paths;
  const title = format.paint.bold(`The way (${rulesEvaluated} rule${rulesEvaluated === 1 ? '' : 's'} looked at, matching or not):`);
  if (outcomes.length <= 1) return `${title}\n${stepLines(first, '  ', format)}`;
  const shared = commonPrefix(paths);
  const rests = paths.map((path) => path.slice(shared.length));
  const ending = commonPrefix(rests.map((path, index) => namelessSteps(path, outcomes[index]).toReversed())).toReversed();
  const branches = rests.map((path) => path.slice(0, path.length - ending.length));
  const shown = branches.slice(0, BRANCHES_MAX).map((steps, index) => {
    const outcome = outcomes[index];
    return outcome === undefined ? '' : `${branchTitle(outcome, format.paint)}${stepLines(steps, '    ', format)}`;
  });
  const hidden = branches.length - shown.length;
  const more = hidden > 0 ? `  … and ${hidden} more in the same manner (all of them: -o json)\n` : '';
  const after = ending.length === 0 ? '' : `  then, whichever it was\n${stepLines(ending, '    ', format)}`;
  return `${title}\n${stepLines(shared, '  ', format)}${shown.join('')}${more}${after}`;
}

function branchTitle({ action, backend, probability, masquerade }: Outcome, paint: Paint): string {
  const where = backend === undefined ? action : formatEndpoint(backend.address, backend.port);
  return `  ${paint.bold(`${percent(probability)} → ${where}`)}${masquerade ? ', masqueraded' : ''}\n`;
}

/** Without the jumps into chains where nothing happened, and the lookups that found nothing. */
function readable(path: readonly Step[]): Step[] {
  const lastFirst: Step[] = [];
  for (const step of path.toReversed()) if (isTelling(step, lastFirst.at(-1))) lastFirst.push(step);
  return lastFirst.reverse();
}

/** `next`: the next step that is told; undefined behind the last one. */
function isTelling(step: Step, next: Step | undefined): boolean {
  if (step.kind !== 'rule') return step.kind !== 'policy' || step.policy === 'drop';
  if (!step.matched) return true;
  if (step.text.includes(' vmap {')) return true;
  if (step.text.includes(' vmap @')) return next === undefined || (next.kind === 'rule' && isFoundByLookup(next.chain));
  const target = /(?: -[jg] (?=KUBE-)|(?:^| )(?:jump|goto) )(\S+)/.exec(step.text)?.[1];
  return target === undefined || (next?.kind === 'rule' && next.chain === target);
}

/** The chains that the verdict maps of nftables mode lead to. */
function isFoundByLookup(chain: string): boolean {
  return chain === REJECT_CHAIN || /^(service|local|external|firewall)-[A-Z2-7]{8}-/.test(chain);
}

/** With the backend called so, that ways which differ only in its address end alike. */
function namelessSteps(path: readonly Step[], outcome: Outcome | undefined): Step[] {
  const { backend } = outcome ?? {};
  if (backend === undefined) return [...path];
  const endpoint = formatEndpoint(backend.address, backend.port);
  const nameless = (text: string) => text.replaceAll(endpoint, 'the backend').replaceAll(backend.address, 'the backend');
  return path.map((step) => (step.kind === 'routing' || step.kind === 'translation' ? { ...step, text: nameless(step.text) } : step));
}

function commonPrefix(paths: readonly (readonly Step[])[]): Step[] {
  const [first = []] = paths;
  const keys = paths.map((path) => path.map((step) => JSON.stringify(step)));
  const length = first.findIndex((_, index) => keys.some((path) => path[index] !== keys[0]?.[index]));
  return first.slice(0, length < 0 ? first.length : length);
}

function stepLines(steps: readonly Step[], indent: string, format: WayFormat): string {
  return steps.map((step) => `${stepText(step, indent, format)}\n`).join('');
}

/** A table, KUBE-SVC- with its hash, and a rule number. */
const PLACE_WIDTH = 42;

function stepText(step: Step, indent: string, { isVerbose, paint }: WayFormat): string {
  const line = (place: string, words: string) => `${indent}  ${paint.dim(place.padEnd(PLACE_WIDTH - indent.length))}  ${words}`;
  switch (step.kind) {
    case 'hook':
      return `${indent}${paint.bold(step.hook)}`;
    case 'rule': {
      const text = isVerbose ? `\n${indent}      ${paint.dim(step.text)}` : '';
      return line(`${step.table} ${step.chain} #${step.number}`, ruleWords(step)) + text;
    }
    case 'policy':
      return line(`${step.table} ${step.chain}`, `end of the chain, its policy: ${step.policy}`);
    case 'conntrack':
      return line('conntrack', step.text);
    case 'routing':
      return line('routing', step.text);
    case 'ipvs':
      return line('IPVS', step.probability === undefined ? step.text : `${step.text} (${percent(step.probability)})`);
    case 'translation':
      return line('conntrack', step.text);
  }
}
