// How the twin chooses an endpoint of a Service: iptables' chances, nftables' one random number, IPVS' round robin and Maglev table.
import { nextRandom, seedRandom } from '../../assembly/shared/random.ts';
import { swapBytes } from '../../src/engine/packet-record.ts';
import { MH_SLOT_COUNT } from '../../src/ipvs/js/schedulers/mh.ts';
import type { Workload } from '../workload.ts';
import type { TwinServices } from './balancing.ts';
import { maglevSlots, sipHash1 } from './maglev.ts';

/** The endpoint for the client whose tuple stands at these words. */
export interface EndpointChooser {
  choose(service: number, words: Int32Array, at: number): number;
}

export function chooserOf(
  { mode, scheduler, seed }: Pick<Workload, 'mode' | 'scheduler' | 'seed'>,
  services: TwinServices,
): EndpointChooser {
  if (mode === 'iptables') return new ChanceChooser(services, seed);
  if (mode === 'nftables') return new RandomChooser(services, seed);
  return scheduler === 'mh' ? new MaglevChooser(services) : new RoundRobinChooser(services);
}

/** One random rule an endpoint, the last one plain. */
class ChanceChooser implements EndpointChooser {
  readonly #services: TwinServices;
  /** By how many endpoints are left: below which 31-bit random number the first of them is taken. */
  readonly #thresholds: Int32Array;
  #random: number;

  constructor(services: TwinServices, seed: number) {
    this.#services = services;
    const most = services.endpointCounts.reduce((highest, count) => Math.max(highest, count), 0);
    this.#thresholds = Int32Array.from({ length: most + 1 }, (_, left) => chance(left));
    this.#random = seedRandom(seed);
  }

  choose(service: number): number {
    const { endpointsFrom, endpointCounts } = this.#services;
    let left = endpointCounts[service] ?? 0;
    const end = (endpointsFrom[service] ?? 0) + left;
    let random = this.#random;
    while (left > 1) {
      random = nextRandom(random);
      if ((random & 0x7fffffff) < (this.#thresholds[left] ?? 0)) break;
      left--;
    }
    this.#random = random;
    return end - left;
  }
}

/** One in `count`, as kube-proxy prints it and xt_statistic keeps it; certain for the last one. */
function chance(count: number): number {
  return count <= 1 ? 0x7fffffff : Math.round(Number((1 / count).toFixed(10)) * 0x80000000);
}

class RandomChooser implements EndpointChooser {
  readonly #services: TwinServices;
  #random: number;

  constructor(services: TwinServices, seed: number) {
    this.#services = services;
    this.#random = seedRandom(seed);
  }

  choose(service: number): number {
    const { endpointsFrom, endpointCounts } = this.#services;
    this.#random = nextRandom(this.#random);
    return (endpointsFrom[service] ?? 0) + Math.floor((this.#random * (endpointCounts[service] ?? 0)) / 0x1_0000_0000);
  }
}

class RoundRobinChooser implements EndpointChooser {
  readonly #services: TwinServices;
  /** By Service: the endpoint whose turn it is. */
  readonly #turns: Int32Array;

  constructor(services: TwinServices) {
    this.#services = services;
    this.#turns = new Int32Array(services.count);
  }

  choose(service: number): number {
    const turns = this.#turns;
    const turn = turns[service] ?? 0;
    turns[service] = turn + 1 === this.#services.endpointCounts[service] ? 0 : turn + 1;
    return (this.#services.endpointsFrom[service] ?? 0) + turn;
  }
}

/** IPv4. The key is source address and port together, as kube-proxy has it. */
class MaglevChooser implements EndpointChooser {
  readonly #endpointsFrom: Int32Array;
  readonly #slots: Uint16Array;

  constructor(services: TwinServices) {
    this.#endpointsFrom = services.endpointsFrom;
    this.#slots = maglevSlots(services);
  }

  choose(service: number, words: Int32Array, at: number): number {
    const key = (swapBytes(words[at] ?? 0) + (swapBytes((words[at + 2] ?? 0) & 0xffff) >>> 16)) | 0;
    return (this.#endpointsFrom[service] ?? 0) + (this.#slots[service * MH_SLOT_COUNT + (sipHash1(key) % MH_SLOT_COUNT)] ?? 0);
  }
}
