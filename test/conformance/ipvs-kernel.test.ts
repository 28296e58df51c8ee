// Every scenario of conformance/ipvs-kernel.json, on both engines.
import { describe, test } from 'vitest';
import { runScenario, SCENARIOS, type Scenario } from './ipvs-run.ts';

describe.each(['wasm', 'js'] as const)('what the kernel did, on the %s engine', (engine) => {
  for (const scenario of SCENARIOS) {
    const name = `${scenario.id}: ${scenario.description}`;
    if (isInformative(scenario)) test.skip(`${name} [informative]`, () => {});
    else test(name, () => runScenario(scenario, engine));
  }
});

/** Timers that are late: shown, not to be copied (FORMAT.md). */
function isInformative({ informative, id }: Scenario): boolean {
  return informative === true || id.startsWith('timer-slack');
}
