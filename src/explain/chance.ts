// What a walk cannot know from Program and packet alone: chance, and what the engine remembers. A walk asks a Chooser;
// explain answers with every possibility, trace with what the engine would draw.
import { CapacityError } from '../errors.ts';
import type { Destination, VirtualService } from '../program/virtual-service.ts';
import type { WalkedPacket } from './packet.ts';
import { foresee, type IpvsView, schedulerOdds } from './scheduling.ts';

/** An answer, and how probable it was. */
export interface Chosen<Value> {
  readonly value: Value;
  readonly probability: number;
  /** IPVS did not ask its scheduler: it knows the connection, or its client. */
  readonly by?: 'connection' | 'template';
}

/** Where chance decides there may be several answers: the walk goes on with each of them. */
export interface Chooser {
  /** A random 31-bit number is below the threshold. */
  isBelow(threshold: number): readonly Chosen<boolean>[];
  /** One of `count` with equal chances, counted from 0. */
  pick(count: number): readonly Chosen<number>[];
  /** What IPVS may do with a packet without conntrack entry; nothing: no server is usable. Without a service it may still know the connection. */
  schedule(service: VirtualService | undefined, packet: WalkedPacket): readonly Chosen<Scheduled>[];
  /** The packet's source was put on that list in the last `seconds` (ever, without them). */
  wasSeen(list: string, packet: WalkedPacket, seconds: number | undefined): boolean;
  /** The packet's source is an element of that dynamic set, whose elements live for `seconds`. */
  isElement(set: string, packet: WalkedPacket, seconds: number): boolean;
  /** Makes the reply tuple unique by another source port. False: there is none. */
  settlePort(packet: WalkedPacket): boolean;
}

/** A server, or IPVS leaves the packet alone or drops it. */
export type Scheduled = Pick<Destination, 'address' | 'port'> | 'leave' | 'drop';

const TCP_SYN = 2;
const TCP_RST = 4;
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

/** IPVS begins TCP connections by a SYN only, and those of SCTP by an INIT. */
function beginsConnection({ protocol, tcpFlags, sctpChunk = 'INIT' }: WalkedPacket): boolean {
  if (protocol === 'SCTP') return sctpChunk === 'INIT';
  return protocol === 'UDP' || ((tcpFlags & TCP_SYN) !== 0 && (tcpFlags & TCP_RST) === 0);
}

/** Every possibility, for a client without a binding. */
export class EveryChance implements Chooser {
  readonly #view: IpvsView | undefined;
  #wayCount = 1;

  /** @param view what IPVS has at the moment; without one, nobody is connected. */
  constructor(view?: IpvsView) {
    this.#view = view;
  }

  isBelow(threshold: number): readonly Chosen<boolean>[] {
    const probability = nominalProbability(threshold);
    const answers = [
      { value: true, probability },
      { value: false, probability: 1 - probability },
    ];
    return this.#counted(answers.filter((answer) => answer.probability > 0));
  }

  pick(count: number): readonly Chosen<number>[] {
    return this.#counted(Array.from({ length: count }, (_, value) => ({ value, probability: 1 / count })));
  }

  schedule(service: VirtualService | undefined, packet: WalkedPacket): readonly Chosen<Scheduled>[] {
    if (service === undefined) return [{ value: 'leave', probability: 1 }];
    const isLeft = this.#view === undefined ? !beginsConnection(packet) : foresee(packet, this.#view).kind === 'leave';
    if (isLeft) return [{ value: 'leave', probability: 1 }];
    const odds = schedulerOdds(service, packet, this.#view).filter(({ share }) => share > 0);
    if (odds.length === 0 && packet.destination.port !== service.port) return [{ value: 'leave', probability: 1 }]; // FTP data
    return this.#counted(odds.map(({ destination, share }) => ({ value: destination, probability: share })));
  }

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

  #counted<Value>(answers: readonly Chosen<Value>[]): readonly Chosen<Value>[] {
    this.#wayCount += Math.max(0, answers.length - 1);
    if (this.#wayCount > WAYS_MAX) throw new CapacityError('ways to explain', WAYS_MAX, this.#wayCount);
    return answers;
  }
}
