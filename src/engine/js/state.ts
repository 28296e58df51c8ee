// What the engine keeps between packets besides tables and connections: clock, random generator, counters.
import { nextRandom, seedRandom } from '../../../assembly/shared/random.ts';
import type { EngineCounters } from '../engine.ts';

export type EventCounters = { -readonly [Name in Exclude<keyof EngineCounters, 'connections' | 'memory'>]: number };

export class EngineState {
  /** Milliseconds; never goes back. */
  now = 0;
  /** The generator behind every choice; IPVS draws from it, too. */
  readonly random: { state: number };
  readonly counters: EventCounters = {
    packets: 0,
    newConnections: 0,
    established: 0,
    replies: 0,
    invalid: 0,
    accepted: 0,
    dnat: 0,
    dropped: 0,
    rejected: 0,
    conntrackFull: 0,
    earlyDropped: 0,
    untracked: 0,
    insertFailed: 0,
    chainTooDeep: 0,
  };

  constructor(seed: number) {
    this.random = { state: seedRandom(seed >>> 0) };
  }

  /** The next random number, 32 bits. */
  draw(): number {
    this.random.state = nextRandom(this.random.state);
    return this.random.state;
  }

  /** An earlier clock counts as the present one. */
  later(now: number): number {
    return Math.max(this.now, now);
  }
}
