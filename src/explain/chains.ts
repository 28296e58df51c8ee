// Walks the chains of one base chain for a packet, asking a Chooser where chance decides, and writes down each step.
import { CHAIN_DEPTH_MAX } from '../../assembly/shared/layout.ts';
import { formatEndpoint } from '../address.ts';
import type { Step } from '../dataplane-types.ts';
import type { Chain, Hook, Rule, Table, Target } from '../program/ruleset.ts';
import type { Chooser } from './chance.ts';
import { askMatches, findElement } from './matches.ts';
import type { Endpoint, WalkedPacket } from './packet.ts';
import type { BaseChain, ProgramIndex } from './program-index.ts';

export type Refusal = 'DROP' | 'REJECT';

/** One walk of one packet. */
export interface Walk {
  readonly index: ProgramIndex;
  readonly packet: WalkedPacket;
  readonly chooser: Chooser;
  readonly steps: Step[];
  /** All rules that were asked are steps, not only those that matched or were decided by chance. */
  readonly keepsAll: boolean;
}

/** Where a walk of chains is. */
interface Place {
  readonly hook: Hook;
  readonly table: Table;
  readonly chain: Chain;
  /** Jumps remembered. */
  readonly depth: number;
}

/** How a chain was left. */
type Exit = 'accepted' | 'returned' | Refusal;

/** Undefined: the packet was accepted in this base chain. */
export function walkBaseChain({ table, chain, base }: BaseChain, walk: Walk): Refusal | undefined {
  walk.packet.elementServicePort = undefined;
  const exit = walkChain({ hook: base.hook, table, chain, depth: 0 }, walk);
  if (exit === 'accepted') return undefined;
  if (exit !== 'returned') return exit;
  if (walk.keepsAll || base.policy === 'drop') {
    walk.steps.push({ kind: 'policy', hook: base.hook, table: table.name, chain: chain.name, policy: base.policy });
  }
  return base.policy === 'drop' ? 'DROP' : undefined;
}

/** The destination becomes this one, as DNAT does it. */
export function translateDestination(walk: Walk, to: Endpoint, servicePort: string | undefined): void {
  const { packet, steps } = walk;
  steps.push({ kind: 'translation', text: `destination ${endpointText(packet.destination)} becomes ${endpointText(to)}` });
  packet.destination = to;
  packet.isDnat = true;
  packet.servicePort = servicePort;
}

export function endpointText({ address, port }: Endpoint): string {
  return formatEndpoint(address.text, port);
}

function walkChain(place: Place, walk: Walk): Exit {
  for (const [position, rule] of place.chain.rules.entries()) {
    walk.packet.rulesEvaluated++;
    const answer = askMatches(rule, walk.packet, walk.index, walk.chooser);
    const picked = answer.isMatch && rule.target.kind === 'randomVerdictMap' ? walk.chooser.pick(rule.target.chains.length) : undefined;
    const probability = picked === undefined ? answer.probability : picked.probability * (answer.probability ?? 1);
    const isUncertain = answer.isUncertain === true || (answer.isMatch && isUnmodelled(rule.target));
    if (isUncertain) walk.packet.isUncertain = true;
    if (walk.keepsAll || answer.isMatch || probability !== undefined || isUncertain) {
      const decided = { isMatch: answer.isMatch, isUncertain, ...(probability === undefined ? {} : { probability }) };
      walk.steps.push(ruleStep(place, position, rule, decided, walk));
    }
    if (!answer.isMatch) continue;
    const exit = applyTarget(rule, picked?.value, place, walk);
    if (exit !== undefined) return exit;
  }
  return 'returned';
}

/** Undefined: the next rule is asked. `picked` chooses among the chains of a random map. */
function applyTarget(rule: Rule, picked: number | undefined, place: Place, walk: Walk): Exit | undefined {
  const { packet, index } = walk;
  const { target } = rule;
  const decider = rule.servicePort ?? packet.elementServicePort;
  switch (target.kind) {
    case 'none':
      return undefined;
    case 'accept':
      packet.acceptedServicePort = decider ?? packet.acceptedServicePort;
      return 'accepted';
    case 'drop':
    case 'reject':
      packet.servicePort = decider;
      return target.kind === 'drop' ? 'DROP' : 'REJECT';
    case 'return':
      return 'returned';
    case 'jump':
      return jump(target.chain, decider, place, walk);
    case 'goto':
      return goTo(target.chain, place, walk);
    case 'mark':
      packet.mark = ((packet.mark & ~target.mask) ^ target.value) >>> 0;
      return undefined;
    case 'dnat': {
      const to = { address: index.address(target.address), port: target.port ?? packet.destination.port };
      translateDestination(walk, to, decider);
      return 'accepted';
    }
    case 'snat':
    case 'masquerade':
      packet.sourceTarget = target;
      packet.isSnat = true;
      return 'accepted';
    case 'verdictMap':
      return lookUp(target, rule, place, walk);
    case 'randomVerdictMap':
      return goTo(target.chains[picked ?? 0] ?? '', place, walk);
    case 'updateSet':
      packet.seenNow.add(target.set);
      return undefined;
  }
}

function jump(name: string, decider: string | undefined, place: Place, walk: Walk): Exit | undefined {
  if (place.depth === CHAIN_DEPTH_MAX) {
    walk.packet.servicePort = decider;
    return 'DROP';
  }
  const exit = walkChain({ ...place, chain: walk.index.chain(place.table, name), depth: place.depth + 1 }, walk);
  return exit === 'returned' ? undefined : exit;
}

/** What the other chain returns, this one returns. */
function goTo(name: string, place: Place, walk: Walk): Exit {
  return walkChain({ ...place, chain: walk.index.chain(place.table, name) }, walk);
}

function lookUp(target: Extract<Target, { kind: 'verdictMap' }>, rule: Rule, place: Place, walk: Walk): Exit | undefined {
  const { packet, index } = walk;
  const map = index.map(target.map);
  const everyDestination = map.key.map(() => 'dst' as const);
  const element = findElement(map.elements, map.key, everyDestination, packet, index);
  if (element === undefined) return undefined;
  packet.elementServicePort = element.servicePort;
  if (element.verdict.kind === 'goto') return goTo(element.verdict.chain, place, walk);
  packet.servicePort = rule.servicePort ?? element.servicePort;
  return 'DROP';
}

/** It may do more than go on with the next rule. */
function isUnmodelled(target: Target): boolean {
  return target.kind === 'none' && target.isUnmodelled === true;
}

interface Decided {
  readonly isMatch: boolean;
  readonly isUncertain: boolean;
  readonly probability?: number;
}

function ruleStep(place: Place, position: number, rule: Rule, answer: Decided, walk: Walk): Step {
  return {
    kind: 'rule',
    hook: place.hook,
    table: place.table.name,
    chain: place.chain.name,
    number: position + 1,
    text: walk.index.ruleText(rule, place.table, place.chain.name),
    matched: answer.isMatch,
    ...(rule.servicePort === undefined ? {} : { servicePort: rule.servicePort }),
    ...(answer.probability === undefined ? {} : { probability: answer.probability }),
    ...(answer.isUncertain ? { uncertain: true } : {}),
  };
}
