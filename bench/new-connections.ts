// New connections: what does it cost to begin one, on empty connection state and beside a million that stand, in each mode?
import { timesAsLong, whereWasmLoses } from './measurement.ts';
import { type Case, type Question, SEED } from './question.ts';
import { NATIVE, type VariantName } from './variants.ts';
import type { Workload } from './workload.ts';

/** Whole batches of 256. */
const FEW = 10_240;
const MANY = 102_400;
/** Those that begin in a pass beside others. */
const BESIDE = 65_536;
const MILLION = 1_000_000;

/** How a backend is chosen. */
export type NewMode = 'iptables random' | 'nftables random' | 'ipvs rr' | 'ipvs mh';

/** iptables scans its Services: ten of them, to measure connections and not the scan. */
const MODES: Readonly<Record<NewMode, Pick<Workload, 'mode' | 'scheduler' | 'serviceCount'>>> = {
  'iptables random': { mode: 'iptables', serviceCount: 10 },
  'nftables random': { mode: 'nftables', serviceCount: 1000 },
  'ipvs rr': { mode: 'ipvs', serviceCount: 1000 },
  'ipvs mh': { mode: 'ipvs', scheduler: 'mh', serviceCount: 1000 },
};

/** Each packet begins a connection, so many in a pass. */
export function eachBegins(count: number) {
  return { connections: 'new', flowCount: count, packetCount: count, packetsPerPass: count, batchSize: 256, seed: SEED } as const;
}

export function newWorkload(mode: NewMode, flowCount: number, standingCount: number): Workload {
  return { ...MODES[mode], ...eachBegins(flowCount), endpointsPerService: 10, aim: 'random', standingCount };
}

function newCase(mode: NewMode, flowCount: number, variants: readonly VariantName[]): Case {
  return { name: mode, size: flowCount, passCount: flowCount === FEW ? 3 : 1, variants, workload: newWorkload(mode, flowCount, 0) };
}

/** `size` is then the number of those that stand. */
function besideMillion(mode: NewMode, variants: readonly VariantName[]): Case {
  return { name: `${mode} beside`, size: MILLION, passCount: 1, variants, workload: newWorkload(mode, BESIDE, MILLION) };
}

const TYPED = ['wasm', 'twin', 'twin-staged'] as const;
const FAST = [...TYPED, 'map'] as const;
const ALL = [...FAST, 'wasm-single', 'js'] as const;
/** Map code knows no Maglev table, C no chances. */
const MAGLEV = [...TYPED, ...NATIVE] as const;

export const newConnections: Question = {
  name: 'new-connections',
  text: 'New connections: what does it cost to begin one? (iptables with 10 Services, nftables and IPVS with 1,000, 10 endpoints each; `beside`: into a table where 1,000,000 stand, otherwise into an empty one)',
  sizeOf: 'connections',
  cases: [
    newCase('iptables random', FEW, ALL),
    newCase('iptables random', MANY, FAST),
    newCase('nftables random', MANY, FAST),
    newCase('ipvs rr', FEW, [...ALL, ...NATIVE]),
    newCase('ipvs rr', MANY, [...FAST, ...NATIVE]),
    newCase('ipvs mh', MANY, MAGLEV),
    besideMillion('iptables random', TYPED),
    besideMillion('nftables random', TYPED),
    besideMillion('ipvs rr', [...TYPED, ...NATIVE]),
    besideMillion('ipvs mh', MAGLEV),
  ],
  fullCases: [],
  smokeCases: [newCase('iptables random', FEW, ALL), newCase('ipvs mh', FEW, MAGLEV)],
  reading: (measurements) =>
    `${timesAsLong(measurements, { twin: 'the twin', map: 'Map code', js: 'the TypeScript engine' })}. ${whereWasmLoses(measurements)}. ${TWIN_LEAVES_OUT}`,
};

/** Whoever reads the ratios must know. */
export const TWIN_LEAVES_OUT =
  'The twin, C and Map code leave out what is the same for each of these packets and what none of them needs: local addresses, mark and masquerade rules, the filter chains of FORWARD, ipsets; ' +
  'they count no rules, keep no timers by which entries leave (an entry is only looked at when its packet comes), never grow, seed no hash, and keep no connections of IPVS beside those of conntrack. The engine does all of it for each new connection.';
