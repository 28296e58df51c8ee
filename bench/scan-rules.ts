// The scan itself: what does the first packet of a connection cost past 10 to 50,000 rules of one chain, to the last of them, when rules name
// one address and port, or prefixes and port ranges? The rules come as a dump of iptables-save.
import { type Measurement, series, timesAsLong, whereWasmLoses } from './measurement.ts';
import { eachBegins } from './new-connections.ts';
import type { Case, Question } from './question.ts';
import { NATIVE, type VariantName } from './variants.ts';

const PACKETS = 1024;
const SIZES = [10, 100, 1000, 10_000, 50_000];
const KINDS = ['exact', 'masked'] as const;

type Kind = (typeof KINDS)[number];

function scanCase(kind: Kind, ruleCount: number): Case {
  const fast: readonly VariantName[] = kind === 'exact' ? ['wasm', 'twin', 'map', ...NATIVE] : ['wasm', 'twin', ...NATIVE];
  return {
    name: kind,
    size: ruleCount,
    passCount: ruleCount <= 1000 ? 16 : ruleCount <= 10_000 ? 4 : 2,
    variants: ruleCount <= 1000 ? [...fast, 'js'] : fast,
    workload: { ...eachBegins(PACKETS), mode: 'iptables', dump: kind, serviceCount: ruleCount, endpointsPerService: 1, aim: 'last' },
  };
}

export const scanRules: Question = {
  name: 'scan-rules',
  text: 'Rules of a dump, scanned to the last: what does the first packet of a connection cost? (exact: -d ADDRESS/32 --dport 80; masked: -d NETWORK/28 --dport 80:95)',
  sizeOf: 'rules',
  cases: KINDS.flatMap((kind) => SIZES.map((size) => scanCase(kind, size))),
  fullCases: [],
  smokeCases: KINDS.map((kind) => ({ ...scanCase(kind, 100), passCount: 2, variants: ['wasm', 'twin'] })),
  reading: (measurements) =>
    `${KINDS.map((kind) => `${kind}: ${perRuleText(measurements, kind)}`).join('; ')}; ${timesAsLong(measurements, { twin: 'the twin', map: 'Map code' })}. ${whereWasmLoses(measurements)}.`,
};

/** What one rule more costs, between the fewest and the most. */
function perRuleText(measurements: readonly Measurement[], kind: Kind): string {
  const bySize = series(measurements, 'wasm', kind);
  const [fewest, most] = [bySize.at(0), bySize.at(-1)];
  if (fewest === undefined || most === undefined || fewest === most) return 'one size alone';
  const nsPerRule = (most.median - fewest.median) / (most.size - fewest.size);
  return `${nsPerRule.toFixed(3)} ns a rule, ${(most.median / 1000).toFixed(2)} us past ${most.size.toLocaleString('en-US')} (wasm)`;
}
