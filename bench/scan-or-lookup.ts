// iptables scan against IPVS lookup: what does the first packet of a connection cost at 10 to 10,000 Services?
import { type Measurement, series, whereWasmLoses } from './measurement.ts';
import { eachBegins } from './new-connections.ts';
import type { Case, Question } from './question.ts';
import type { VariantName } from './variants.ts';
import type { Workload } from './workload.ts';

const PACKETS = 1024;

/** Where applying and scanning take seconds, those that no row is about stay away. */
const MANY: readonly VariantName[] = ['wasm', 'twin', 'map'];

/** IPVS takes the same time for any Service: only iptables is aimed at the last one, too. */
const KINDS = [
  ['iptables', 'random'],
  ['iptables', 'last'],
  ['ipvs', 'random'],
] as const;

function scanCase(mode: Workload['mode'], aim: Workload['aim'], serviceCount: number): Case {
  return {
    ...(serviceCount > 1000 ? { variants: MANY } : {}),
    name: `${mode} ${aim === 'last' ? 'last' : 'any'}`,
    size: serviceCount,
    passCount: mode === 'ipvs' || serviceCount <= 100 ? 16 : serviceCount <= 1000 ? 6 : 1,
    workload: { ...eachBegins(PACKETS), mode, serviceCount, endpointsPerService: 2, aim },
  };
}

function cases(sizes: readonly number[]): Case[] {
  return KINDS.flatMap(([mode, aim]) => sizes.map((size) => scanCase(mode, aim, size)));
}

export const scanOrLookup: Question = {
  name: 'scan-or-lookup',
  text: 'iptables scan against IPVS lookup: what does the first packet of a connection cost? (to any Service, or to the last one)',
  sizeOf: 'Services',
  cases: cases([10, 100, 1000, 10_000]),
  fullCases: cases([50_000]),
  smokeCases: [scanCase('iptables', 'random', 10), scanCase('ipvs', 'random', 10)],
  reading: (measurements) =>
    `${growth(measurements, 'iptables any')}; ${growth(measurements, 'ipvs any')}. ${whereWasmLoses(measurements)}.`,
};

/** How the cost grows from the fewest to the most Services. */
function growth(measurements: readonly Measurement[], name: string): string {
  const bySize = series(measurements, 'wasm', name);
  const fewest = bySize.at(0);
  const most = bySize.at(-1);
  if (fewest === undefined || most === undefined) return `${name} was not measured`;
  const rules = `${Math.round(fewest.rulesEvaluated)} → ${Math.round(most.rulesEvaluated)} rules`;
  return `${name} Service, ${fewest.size} → ${most.size} Services: ${Math.round(fewest.median)} → ${Math.round(most.median)} ns (wasm), ${rules}`;
}
