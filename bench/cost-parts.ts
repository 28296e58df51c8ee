// Which part costs what: the WebAssembly engine on workloads that differ in one part alone. Differences between rows are what the part costs.
import { establishedWorkload } from './established.ts';
import { newWorkload } from './new-connections.ts';
import type { Case, Question } from './question.ts';
import type { Workload } from './workload.ts';

export const COST_PARTS = 'cost-parts';

const NEW = 65_536;
/** Entries and index of so many connections lie in the smallest cache. */
const CACHED = 64;
const FEW = 1000;
const MILLION = 1_000_000;

function part(name: string, size: number, workload: Workload, passCount = 4): Case {
  return { name, size, workload, passCount, variants: ['wasm'] };
}

/** Frames that are rewritten in place come in again before each pass: as many as one pass has. */
function framesOf(flowCount: number, parts: Partial<Workload>): Workload {
  const workload = establishedWorkload(flowCount);
  return { ...workload, packetCount: workload.packetsPerPass, frames: 'in place', ...parts };
}

/** Connections to addresses of no Service, past the rules of one. */
function plainWorkload(standingCount: number): Workload {
  return { ...newWorkload('iptables random', NEW, standingCount), aim: 'none', serviceCount: 1 };
}

/** A connection of IPVS has an entry of its own beside that of conntrack. */
function ipvsWorkload(flowCount: number): Workload {
  return { ...establishedWorkload(flowCount), mode: 'ipvs' };
}

function casesOf(sizes: readonly number[]): Case[] {
  return [
    part('established, all in the first cache', CACHED, establishedWorkload(CACHED)),
    ...sizes.flatMap((size) => [
      part('established, to no Service', size, { ...establishedWorkload(size), aim: 'none' }),
      part('established, of IPVS', size, ipvsWorkload(size)),
    ]),
    ...sizes.flatMap((size) => [
      part('frame, of no Service, in place', size, framesOf(size, { aim: 'none' }), 2),
      part('frame, in place', size, framesOf(size, {}), 2),
    ]),
    ...[0, ...sizes.filter((size) => size === MILLION)].map((standing) => part('new, to no Service', standing, plainWorkload(standing), 1)),
    ...(['iptables random', 'nftables random', 'ipvs rr', 'ipvs mh'] as const).map((mode) =>
      part(`new, ${mode}`, 0, newWorkload(mode, NEW, 0), 1),
    ),
  ];
}

export const costParts: Question = {
  name: COST_PARTS,
  text: 'Which part costs what: workloads that differ in one part alone (WebAssembly; size: connections that stand)',
  sizeOf: 'standing',
  cases: casesOf([FEW, 100_000, MILLION]),
  fullCases: [],
  smokeCases: [
    part('established, all in the first cache', CACHED, establishedWorkload(CACHED), 1),
    part('frame, in place', FEW, framesOf(FEW, {}), 1),
  ],
  reading: () => 'rows are made to be subtracted from each other, and from those of the other questions; docs/benchmarks.md does.',
};
