// What a walk cannot know from Program and packet alone: chance, and what the engine remembers. A walk asks a Chooser;
// explain answers with every possibility in turn, trace with what the engine would draw.
import { CapacityError, UnsupportedError } from '../errors.ts';
import type { Destination, VirtualService } from '../program/virtual-service.ts';
import type { WalkedPacket } from './packet.ts';

/** An answer, and how probable it was. */
export interface Chosen<Value> {
  readonly value: Value;
  readonly probability: number;
}

export interface Chooser {
  /** A random 31-bit number is below the threshold. */
  isBelow(threshold: number): Chosen<boolean>;
  /** One of `count` with equal chances, counted from 0. */
  pick(count: number): Chosen<number>;
  /** The server a scheduler gives a new connection; undefined: none is usable. */
  schedule(service: VirtualService): Chosen<Destination> | undefined;
  /** The packet's source was put on that list in the last `seconds` (ever, without them). */
  wasSeen(list: string, packet: WalkedPacket, seconds: number | undefined): boolean;
  /** The packet's source is an element of that dynamic set, whose elements live for `seconds`. */
  isElement(set: string, packet: WalkedPacket, seconds: number): boolean;
  /** Makes the reply tuple unique by another source port. False: there is none. */
  settlePort(packet: WalkedPacket): boolean;
}

const TWO_TO_31 = 0x80000000;
const NOMINAL_TOLERANCE = 1e-9;
const NOMINAL_MAX = 1_000_000;
/** More ways than any Program of a Service can have; only rules with many independent chances come here. */
const WAYS_MAX = 200_000;

/** The probability that a threshold stands for: 1/k where it was rounded from one, so that the ways of a Service add up to 1. */
export function nominalProbability(threshold: number): number {
  const exact = threshold / TWO_TO_31;
  const k = Math.round(1 / exact);
  return k <= NOMINAL_MAX && Math.abs(exact - 1 / k) < NOMINAL_TOLERANCE ? 1 / k : exact;
}

/** Each usable destination's share of one round. @throws UnsupportedError for schedulers that are not modelled. */
export function schedulerShares(service: VirtualService): { readonly destination: Destination; readonly share: number }[] {
  const { scheduler } = service;
  if (scheduler !== 'rr' && scheduler !== 'wrr') throw new UnsupportedError(`scheduler ${scheduler} is not supported`);
  const usable = service.destinations.filter(({ weight }) => weight > 0);
  const weightOf = ({ weight }: Destination) => (scheduler === 'rr' ? 1 : weight);
  const total = usable.reduce((sum, destination) => sum + weightOf(destination), 0);
  return usable.map((destination) => ({ destination, share: weightOf(destination) / total }));
}

/** Takes a walk through all its ways, one after the other: an odometer of the choices it makes, which replay in the same order. */
export class EveryWay implements Chooser {
  #choices: { readonly probabilities: readonly number[]; taken: number }[] = [];
  #asked = 0;
  #wayCount = 1;

  /** The probability of the way that was just walked. */
  get probability(): number {
    return this.#choices.reduce((product, { probabilities, taken }) => product * (probabilities[taken] ?? 0), 1);
  }

  /** Turns to the next way. False: all were walked. */
  advance(): boolean {
    this.#asked = 0;
    while (true) {
      const last = this.#choices.at(-1);
      if (last === undefined) return false;
      const next = last.probabilities.findIndex((probability, index) => index > last.taken && probability > 0);
      if (next >= 0) {
        last.taken = next;
        this.#wayCount++;
        if (this.#wayCount > WAYS_MAX) throw new CapacityError('ways to explain', WAYS_MAX, this.#wayCount);
        return true;
      }
      this.#choices.pop();
    }
  }

  isBelow(threshold: number): Chosen<boolean> {
    const probability = nominalProbability(threshold);
    const { value, probability: taken } = this.#choose([probability, 1 - probability]);
    return { value: value === 0, probability: taken };
  }

  pick(count: number): Chosen<number> {
    return this.#choose(Array.from({ length: count }, () => 1 / count));
  }

  schedule(service: VirtualService): Chosen<Destination> | undefined {
    const shares = schedulerShares(service);
    if (shares.length === 0) return undefined;
    const { value } = this.#choose(shares.map(({ share }) => share));
    const taken = shares[value];
    return taken === undefined ? undefined : { value: taken.destination, probability: taken.share };
  }

  /** A client without a binding. */
  wasSeen(): boolean {
    return false;
  }

  isElement(): boolean {
    return false;
  }

  /** A free port is taken for granted: it changes no outcome. */
  settlePort(): boolean {
    return true;
  }

  #choose(probabilities: readonly number[]): Chosen<number> {
    let choice = this.#choices[this.#asked];
    if (choice === undefined) {
      choice = { probabilities, taken: probabilities.findIndex((probability) => probability > 0) };
      this.#choices.push(choice);
    }
    this.#asked++;
    return { value: choice.taken, probability: probabilities[choice.taken] ?? 0 };
  }
}
