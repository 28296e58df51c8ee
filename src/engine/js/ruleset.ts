// The chains of a Program with all references resolved, and the walk of one base chain: match, jump, return, target.
import { CHAIN_DEPTH_MAX } from '../../../assembly/shared/layout.ts';
import { markAfter } from '../../program/mark.ts';
import type { Chain } from '../../program/ruleset.ts';
import type { AddressWords } from './addresses.ts';
import type { Flight, SourceTranslation } from './flight.ts';
import type { MatchTest } from './matches.ts';
import type { Sightings } from './recent.ts';
import type { KeyTable, Side } from './sets.ts';
import type { EngineState } from './state.ts';

export type LoadedTarget =
  | { readonly kind: 'accept' | 'drop' | 'reject' | 'return' | 'none' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: LoadedChain }
  | { readonly kind: 'mark' | 'tproxy'; readonly value: number; readonly mask: number }
  | { readonly kind: 'notrack' }
  | { readonly kind: 'dnat'; readonly address: AddressWords; readonly port: number | undefined }
  | { readonly kind: 'translateSource'; readonly translation: SourceTranslation }
  | { readonly kind: 'verdictMap'; readonly elements: KeyTable<LoadedElement>; readonly sides: readonly Side[] }
  | { readonly kind: 'randomVerdictMap'; readonly chains: readonly LoadedChain[] }
  | { readonly kind: 'updateSet'; readonly sightings: Sightings };

/** What a verdict map says for a key; no chain: drop. */
export interface LoadedElement {
  readonly chain: LoadedChain | undefined;
  readonly servicePort: number;
}

export interface LoadedRule {
  readonly tests: readonly MatchTest[];
  readonly target: LoadedTarget;
  /** The number of its ServicePort, 0 for none. */
  readonly servicePort: number;
}

export interface LoadedChain {
  readonly name: string;
  /** Replaced whole when the chain changes: rules of others refer to the chain. */
  rules: readonly LoadedRule[];
  /** What the rules were loaded from; undefined while they are not. */
  source: Chain | undefined;
}

export interface LoadedBaseChain {
  readonly chain: LoadedChain;
  readonly isNat: boolean;
  readonly priority: number;
  readonly policy: 'accept' | 'drop';
}

/** How a packet ends that does not get through. */
export type Refusal = 'DROP' | 'REJECT';

interface Place {
  readonly chain: LoadedChain;
  readonly index: number;
}

const TWO_TO_32 = 0x100000000;

/** Walks one base chain and all that it leads to. Undefined: the packet was accepted there. */
export function walkBaseChain(base: LoadedBaseChain, flight: Flight, state: EngineState): Refusal | undefined {
  const places: Place[] = [];
  let chain = base.chain;
  let index = 0;
  flight.elementServicePort = 0;
  const enter = (next: LoadedChain) => {
    chain = next;
    index = 0;
  };

  while (true) {
    const rule = chain.rules[index];
    if (rule === undefined) {
      const place = places.pop();
      if (place === undefined) return base.policy === 'accept' ? undefined : 'DROP';
      ({ chain, index } = place);
      continue;
    }
    index++;
    flight.rulesEvaluated++;
    if (!holds(rule, flight)) continue;

    const { target } = rule;
    switch (target.kind) {
      case 'none':
        break;
      case 'accept':
        flight.acceptedServicePort = deciderOf(rule, flight) || flight.acceptedServicePort;
        return undefined;
      case 'drop':
        flight.servicePort = deciderOf(rule, flight);
        return 'DROP';
      case 'reject':
        flight.servicePort = deciderOf(rule, flight);
        return 'REJECT';
      case 'return':
        index = chain.rules.length;
        break;
      case 'jump':
        if (places.length === CHAIN_DEPTH_MAX) {
          state.counters.chainTooDeep++;
          flight.servicePort = deciderOf(rule, flight);
          return 'DROP';
        }
        places.push({ chain, index });
        enter(target.chain);
        break;
      case 'goto':
        enter(target.chain);
        break;
      case 'mark':
        flight.mark = markAfter(flight.mark, target);
        break;
      case 'tproxy':
        flight.mark = markAfter(flight.mark, target);
        flight.isForProxy = true;
        return undefined;
      case 'notrack':
        // To rules before conntrack its packets are INVALID; one that it knows already stays tracked.
        if (flight.state === 'INVALID') flight.state = 'UNTRACKED';
        break;
      case 'dnat':
        bindDestination(flight, target.address, target.port ?? flight.destinationPort, deciderOf(rule, flight));
        return undefined;
      case 'translateSource':
        flight.sourceTranslation = target.translation;
        flight.isSourceBound = true;
        flight.isSnat = true;
        return undefined;
      case 'verdictMap': {
        const element = target.elements.find(flight, target.sides);
        if (element === undefined) break;
        flight.elementServicePort = element.servicePort;
        if (element.chain === undefined) {
          flight.servicePort = deciderOf(rule, flight);
          return 'DROP';
        }
        enter(element.chain);
        break;
      }
      case 'randomVerdictMap': {
        const next = target.chains[Math.floor((state.draw() * target.chains.length) / TWO_TO_32)];
        if (next !== undefined) enter(next);
        break;
      }
      case 'updateSet':
        target.sightings.list.reap(state.now, target.sightings.seconds);
        target.sightings.list.see(flight.source, state.now);
        break;
    }
  }
}

/** The destination stands for this connection, whether it changed or not. */
export function bindDestination(flight: Flight, address: AddressWords, port: number, servicePort: number): void {
  flight.destination = address;
  flight.destinationPort = port;
  flight.isDestinationBound = true;
  flight.isDnat = true;
  flight.servicePort = servicePort;
}

function holds(rule: LoadedRule, flight: Flight): boolean {
  for (const test of rule.tests) if (!test(flight)) return false;
  return true;
}

/** A shared rule (nftables' reject-chain) speaks for the ServicePort of the map element that led to it. */
function deciderOf(rule: LoadedRule, flight: Flight): number {
  return rule.servicePort || flight.elementServicePort;
}
