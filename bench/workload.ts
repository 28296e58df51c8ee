// What a question lets every variant do: Services, flows and packets, all from one seed.
// Parent and children hold the same Workload; each child makes the packets of it by itself.

import { nextRandom, seedRandom } from '../assembly/shared/random.ts';

export interface Workload {
  readonly mode: 'iptables' | 'nftables' | 'ipvs';
  /** Of IPVS; default rr. */
  readonly scheduler?: 'rr' | 'mh';
  /** Default IPv4. */
  readonly family?: 'IPv4' | 'IPv6';
  readonly serviceCount: number;
  readonly endpointsPerService: number;
  /** Instead of Services, a dump of iptables-save with one rule for each: of one address and port, or of a network and a range of ports. */
  readonly dump?: 'exact' | 'masked';
  /** Which Services the flows are aimed at: each with the same chance, only the last one in the order of the rules, or addresses of none. */
  readonly aim: 'random' | 'last' | 'none';
  /** `new`: each packet begins a connection of its own. `established`: the connections stand before the first packet counts. */
  readonly connections: 'new' | 'established';
  readonly flowCount: number;
  /** For `new`: other connections that stand all the time. */
  readonly standingCount?: number;
  /** Packets in memory; passes go through them in turn. For `new`, one for each flow. */
  readonly packetCount: number;
  readonly packetsPerPass: number;
  readonly batchSize: number;
  readonly seed: number;
  /** Ethernet frames instead of packet records, of established connections only: rewritten where they lie, or copied to a transmit ring. */
  readonly frames?: 'in place' | 'transmit';
}

/** The clock stands still during passes: nothing expires, and no variant pays for asking the time. */
export const NOW_MS = 1000;

/** All flows of a workload: those that stand come first, then those that its packets belong to. */
export function allFlowsOf({ standingCount = 0, flowCount }: Workload): number {
  return standingCount + flowCount;
}

/** Whole numbers below a bound, from the generator that the engines use. */
export class Chooser {
  #state: number;

  constructor(seed: number) {
    this.#state = seedRandom(seed);
  }

  below(bound: number): number {
    this.#state = nextRandom(this.#state);
    return Math.floor((this.#state / 0x1_0000_0000) * bound);
  }
}

/** For each flow the number of its Service. */
export function flowServices(workload: Workload): Uint32Array {
  const { aim, serviceCount, seed } = workload;
  const chooser = new Chooser(seed);
  return new Uint32Array(allFlowsOf(workload)).map(() => (aim === 'random' ? chooser.below(serviceCount) : serviceCount - 1));
}

/** For each packet the number of its flow: each flow once when it begins one, else any. */
export function packetFlows({ connections, flowCount, standingCount = 0, packetCount, seed }: Workload): Uint32Array {
  const chooser = new Chooser(seed + 1);
  return new Uint32Array(packetCount).map((_, packet) => (connections === 'new' ? standingCount + packet : chooser.below(flowCount)));
}
