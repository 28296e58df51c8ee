// Walks the chains of one base chain for a packet, in as many ways as chance has answers, and notes each step.
import { CHAIN_DEPTH_MAX } from '../../assembly/shared/layout.ts';
import { formatEndpoint } from '../address.ts';
import type { Step } from '../dataplane-types.ts';
import { markAfter } from '../program/mark.ts';
import type { Chain, Hook, Rule, Table, Target } from '../program/ruleset.ts';
import { allRules, rulesThatMayHold } from './chain-index.ts';
import { elementIndexOfMap, findElement } from './element-index.ts';
import { askMatches, type MatchAnswer } from './matches.ts';
import type { Endpoint } from './packet.ts';
import type { BaseChain } from './program-index.ts';
import type { Walk } from './walk.ts';
import { note, type Refusal, refuse, splitWay, type Way } from './way.ts';

/** Where a walk of chains is. */
interface Place {
  readonly hook: Hook;
  readonly table: Table;
  readonly chain: Chain;
  /** Jumps remembered. */
  readonly depth: number;
}

/** How a way left a chain, or a rule: `next` goes on with the next rule. */
type Exit = 'accepted' | 'returned' | 'next' | Refusal;

interface Left {
  readonly way: Way;
  exit: Exit;
}

/** Ways that are refused here say so. */
export function walkBaseChain({ table, chain, base }: BaseChain, way: Way, walk: Walk): readonly Way[] {
  way.packet.elementServicePort = undefined;
  const { hook, policy } = base;
  return walkChain({ hook, table, chain, depth: 0 }, way, walk).map(({ way: left, exit }) => {
    if (exit === 'DROP' || exit === 'REJECT') return refuse(left, exit);
    if (exit === 'accepted') return left;
    if (walk.keepsAll || policy === 'drop') note(left, () => ({ kind: 'policy', hook, table: table.name, chain: chain.name, policy }));
    return policy === 'drop' ? refuse(left, 'DROP') : left;
  });
}

/** The destination becomes this one, as DNAT does it. */
export function translateDestination(way: Way, to: Endpoint, servicePort: string | undefined): void {
  const { packet } = way;
  const before = packet.destination;
  note(way, () => ({ kind: 'translation', text: `destination ${endpointText(before)} becomes ${endpointText(to)}` }));
  packet.destination = to;
  packet.isDnat = true;
  packet.servicePort = servicePort;
}

export function endpointText({ address, port }: Endpoint): string {
  return formatEndpoint(address.text, port);
}

/** Never `next`. `from`: the place in the chain's rules to begin at. */
function walkChain(place: Place, arriving: Way, walk: Walk, from = 0): Left[] {
  const { chain } = place;
  const positions = walk.keepsAll ? allRules(chain) : rulesThatMayHold(chain, arriving.packet);
  const left: Left[] = [];
  let way = arriving;
  for (let at = from; at < positions.length; at++) {
    const position = positions[at] ?? 0;
    const rule = chain.rules[position];
    if (rule === undefined) break;
    const goingOn: Way[] = [];
    for (const each of askRule(place, position, rule, way, walk)) {
      if (each.exit === 'next') goingOn.push(each.way);
      else left.push(each);
    }
    const last = goingOn.pop();
    if (last === undefined) return left;
    for (const other of goingOn) left.push(...walkChain(place, other, walk, at + 1));
    way = last;
  }
  left.push({ way, exit: 'returned' });
  return left;
}

function askRule(place: Place, position: number, rule: Rule, way: Way, walk: Walk): readonly Left[] {
  way.packet.rulesEvaluated++;
  const answers = askMatches(rule, way, walk);
  const [only] = answers;
  if (answers.length === 1 && only !== undefined) return answerRule(place, position, rule, only, walk);
  return answers.flatMap((answer) => answerRule(place, position, rule, answer, walk));
}

function answerRule(place: Place, position: number, rule: Rule, answer: MatchAnswer, walk: Walk): readonly Left[] {
  const { way, isMatch, probability } = answer;
  const isUncertain = answer.isUncertain || (isMatch && isUnmodelled(rule.target));
  if (isUncertain) way.packet.isUncertain = true;
  if (isMatch && rule.target.kind === 'randomVerdictMap') {
    const { chains } = rule.target;
    const chances = walk.chooser.pick(chains.length);
    return chances.flatMap((chance, at) => {
      const picked = at === chances.length - 1 ? way : splitWay(way);
      picked.probability *= chance.probability;
      noteRule(place, position, picked, { isMatch, isUncertain, probability: chance.probability * (probability ?? 1) }, walk);
      return goTo(chains[chance.value] ?? '', place, picked, walk);
    });
  }
  if (walk.keepsAll || isMatch || probability !== undefined || isUncertain) {
    noteRule(place, position, way, { isMatch, isUncertain, probability }, walk);
  }
  return isMatch ? applyTarget(rule, place, way, walk) : [{ way, exit: 'next' }];
}

function applyTarget(rule: Rule, place: Place, way: Way, walk: Walk): readonly Left[] {
  const { packet } = way;
  const { target } = rule;
  const decider = rule.servicePort ?? packet.elementServicePort;
  switch (target.kind) {
    case 'none':
      return [{ way, exit: 'next' }];
    case 'accept':
      packet.acceptedServicePort = decider ?? packet.acceptedServicePort;
      return [{ way, exit: 'accepted' }];
    case 'drop':
    case 'reject':
      packet.servicePort = decider;
      return [{ way, exit: target.kind === 'drop' ? 'DROP' : 'REJECT' }];
    case 'return':
      return [{ way, exit: 'returned' }];
    case 'jump':
      return jump(target.chain, decider, place, way, walk);
    case 'goto':
      return goTo(target.chain, place, way, walk);
    case 'mark':
      packet.mark = markAfter(packet.mark, target);
      return [{ way, exit: 'next' }];
    case 'tproxy':
      packet.mark = markAfter(packet.mark, target);
      packet.isForProxy = true;
      return [{ way, exit: 'accepted' }];
    case 'notrack':
      // Before conntrack its packets are INVALID; one that it knows already stays tracked.
      if (packet.state === 'INVALID') packet.state = 'UNTRACKED';
      return [{ way, exit: 'next' }];
    case 'dnat':
      translateDestination(way, { address: walk.index.address(target.address), port: target.port ?? packet.destination.port }, decider);
      return [{ way, exit: 'accepted' }];
    case 'snat':
    case 'masquerade':
      packet.sourceTarget = target;
      packet.isSnat = true;
      return [{ way, exit: 'accepted' }];
    case 'verdictMap':
      return lookUp(target, rule, place, way, walk);
    case 'randomVerdictMap':
      return goTo(target.chains[0] ?? '', place, way, walk);
    case 'updateSet':
      packet.seenNow = new Set([...packet.seenNow, target.set]);
      return [{ way, exit: 'next' }];
  }
}

function jump(name: string, decider: string | undefined, place: Place, way: Way, walk: Walk): readonly Left[] {
  if (place.depth === CHAIN_DEPTH_MAX) {
    way.packet.servicePort = decider;
    return [{ way, exit: 'DROP' }];
  }
  const left = walkChain(inside(place, name, place.depth + 1, walk), way, walk);
  for (const each of left) if (each.exit === 'returned') each.exit = 'next';
  return left;
}

/** What the other chain returns, this one returns. */
function goTo(name: string, place: Place, way: Way, walk: Walk): readonly Left[] {
  return walkChain(inside(place, name, place.depth, walk), way, walk);
}

function inside({ hook, table }: Place, chainName: string, depth: number, walk: Walk): Place {
  return { hook, table, chain: walk.index.chain(table, chainName), depth };
}

function lookUp(target: Extract<Target, { kind: 'verdictMap' }>, rule: Rule, place: Place, way: Way, walk: Walk): readonly Left[] {
  const { packet } = way;
  const map = walk.index.map(target.map);
  const everyDestination = map.key.map(() => 'dst' as const);
  const element = findElement(elementIndexOfMap(map), everyDestination, packet, walk.index);
  if (element === undefined) return [{ way, exit: 'next' }];
  packet.elementServicePort = element.servicePort;
  if (element.verdict.kind === 'goto') return goTo(element.verdict.chain, place, way, walk);
  packet.servicePort = rule.servicePort ?? element.servicePort;
  return [{ way, exit: 'DROP' }];
}

/** It may do more than go on with the next rule. */
function isUnmodelled(target: Target): boolean {
  return target.kind === 'none' && target.isUnmodelled === true;
}

interface Decided {
  readonly isMatch: boolean;
  readonly isUncertain: boolean;
  readonly probability: number | undefined;
}

function noteRule(place: Place, position: number, way: Way, decided: Decided, walk: Walk): void {
  note(way, () => ruleStep(place, position, decided, walk));
}

function ruleStep({ hook, table, chain }: Place, position: number, { isMatch, isUncertain, probability }: Decided, walk: Walk): Step {
  const rule = chain.rules[position];
  return {
    kind: 'rule',
    hook,
    table: table.name,
    chain: chain.name,
    number: position + 1,
    text: rule === undefined ? '' : walk.index.ruleText(rule, table, chain.name),
    matched: isMatch,
    ...(rule?.servicePort === undefined ? {} : { servicePort: rule.servicePort }),
    ...(probability === undefined ? {} : { probability }),
    ...(isUncertain ? { uncertain: true } : {}),
  };
}
