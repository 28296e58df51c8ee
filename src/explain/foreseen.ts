// The Chooser of trace: it draws as the engine will, from a copy of its generator, and reads what the engine remembers.
import { nextRandom } from '../../assembly/shared/random.ts';
import type { EngineView, TrackedConnection, TupleText } from '../engine/engine.ts';
import type { VirtualService } from '../program/virtual-service.ts';
import { type Chooser, type Chosen, nominalProbability, type Scheduled } from './chance.ts';
import type { WalkedPacket } from './packet.ts';
import { foresee, schedulerOdds } from './scheduling.ts';

const RANDOM_31_BITS = 0x7fffffff;
const RANDOM_16_BITS = 0xffff;
const TWO_TO_32 = 0x100000000;
const MS = 1000;
/** nf_nat's patience: ports tried after each draw, and where it gives up. */
const ATTEMPTS_MAX = 128;
const ATTEMPTS_MIN = 16;

export class ForeseenChoices implements Chooser {
  readonly #view: EngineView;
  readonly #now: number;
  readonly #removed: TrackedConnection | undefined;
  #randomState: number;

  /** `removed`: a connection that is gone by the time the packet needs a port, since it begins again or had to make room. */
  constructor(view: EngineView, now: number, removed?: TrackedConnection) {
    this.#view = view;
    this.#now = now;
    this.#removed = removed;
    this.#randomState = view.randomState;
  }

  isBelow(threshold: number): readonly Chosen<boolean>[] {
    const value = (this.#draw() & RANDOM_31_BITS) < threshold;
    const probability = nominalProbability(threshold);
    return [{ value, probability: value ? probability : 1 - probability }];
  }

  pick(count: number): readonly Chosen<number>[] {
    return [{ value: Math.floor((this.#draw() * count) / TWO_TO_32), probability: 1 / count }];
  }

  schedule(service: VirtualService | undefined, packet: WalkedPacket): readonly Chosen<Scheduled>[] {
    const foresight = foresee(packet, this.#view);
    if (foresight.kind === 'noServer') return [];
    if (foresight.kind !== 'forward') return [{ value: foresight.kind, probability: 1 }];
    const { destination, by } = foresight;
    if (by !== 'scheduler') return [{ value: destination, probability: 1, by }];
    if (service === undefined) return [{ value: destination, probability: 1 }];
    const odds = schedulerOdds(service, packet, this.#view);
    const own = odds.find((each) => each.destination.address === destination.address && each.destination.port === destination.port);
    return [{ value: destination, probability: own?.share ?? 1 }];
  }

  wasSeen(list: string, packet: WalkedPacket, seconds: number | undefined): boolean {
    const seen = this.#view.recentSighting(list, packet.source.address.text);
    return seen !== undefined && (seconds === undefined || this.#now - seen <= seconds * MS);
  }

  isElement(set: string, packet: WalkedPacket, seconds: number): boolean {
    const seen = this.#view.recentSighting(set, packet.source.address.text);
    return seen !== undefined && this.#now - seen < seconds * MS;
  }

  settlePort(packet: WalkedPacket): boolean {
    const target = packet.sourceTarget;
    if (target?.kind === 'snat' && target.port !== undefined) return this.#isFree(packet);
    const isRandom = target?.kind === 'masquerade' && target.randomFully;
    return (!isRandom && this.#isFree(packet)) || this.#searchPort(packet);
  }

  #searchPort(packet: WalkedPacket): boolean {
    const { address, port } = packet.source;
    const [lowest, size] = port < 512 ? [1, 511] : port < 1024 ? [600, 424] : [1024, 64512];
    for (let attempts = Math.min(size, ATTEMPTS_MAX); ; attempts = Math.floor(attempts / 2)) {
      const offset = this.#draw() & RANDOM_16_BITS;
      for (let attempt = 0; attempt < attempts; attempt++) {
        packet.source = { address, port: lowest + ((offset + attempt) % size) };
        if (this.#isFree(packet)) return true;
      }
      if (attempts >= size || attempts < ATTEMPTS_MIN) return false;
    }
  }

  #isFree({ protocol, source, destination }: WalkedPacket): boolean {
    const replyTuple = {
      source: destination.address.text,
      sourcePort: destination.port,
      destination: source.address.text,
      destinationPort: source.port,
    };
    const holder = this.#view.findConnection(protocol, replyTuple)?.connection;
    return holder === undefined || (this.#removed !== undefined && isSameTuple(holder.original, this.#removed.original));
  }

  #draw(): number {
    this.#randomState = nextRandom(this.#randomState);
    return this.#randomState;
  }
}

function isSameTuple(a: TupleText, b: TupleText): boolean {
  return (
    a.source === b.source && a.sourcePort === b.sourcePort && a.destination === b.destination && a.destinationPort === b.destinationPort
  );
}
