// One way of a packet through the Program. Where chance may decide otherwise a way is split, and each part walks on by itself:
// what lies before the split is walked once and shared.
import type { Step } from '../dataplane-types.ts';
import type { WalkedPacket } from './packet.ts';

export type Refusal = 'DROP' | 'REJECT';

export interface Way {
  /** Its own: no other way sees what happens to it. */
  readonly packet: WalkedPacket;
  /** Of all that chance decided so far. */
  probability: number;
  /** The last step; undefined before the first one. */
  trail: Trail | undefined;
  /** Set when the walk is over: the packet did not get through. */
  refusal: Refusal | undefined;
}

/** A step and those before it. Texts are made when somebody reads them. */
interface Trail {
  readonly before: Trail | undefined;
  readonly make: () => Step;
  step?: Step;
}

/** A stage of the way: in how many ways it can be left. */
export type Stage = (way: Way) => readonly Way[];

export function beginWay(packet: WalkedPacket): Way {
  return { packet, probability: 1, trail: undefined, refusal: undefined };
}

/** The same way so far, to go on with another answer. */
export function splitWay(way: Way): Way {
  return { ...way, packet: { ...way.packet } };
}

/** `make` is called late: it must read nothing that still changes. */
export function note(way: Way, make: () => Step): void {
  way.trail = { before: way.trail, make };
}

export function refuse(way: Way, refusal: Refusal): Way {
  way.refusal = refusal;
  return way;
}

/** All steps in order. */
export function stepsOf(way: Way): Step[] {
  const steps: Step[] = [];
  for (let trail = way.trail; trail !== undefined; trail = trail.before) {
    trail.step ??= trail.make();
    steps.push(trail.step);
  }
  return steps.reverse();
}

/** Stage after stage, each for all ways that are left; refused ones go no further. */
export function inTurn(way: Way, stages: readonly Stage[]): readonly Way[] {
  let ways: readonly Way[] = [way];
  for (const stage of stages) {
    const [only] = ways;
    if (ways.length === 1 && only !== undefined) ways = only.refusal === undefined ? stage(only) : ways;
    else ways = ways.flatMap((each) => (each.refusal === undefined ? stage(each) : [each]));
  }
  return ways;
}
