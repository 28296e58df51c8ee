// Memory of the tables over many changes: what a change replaces is given back, so the same cluster always takes the same memory.
import { describe, expect, test } from 'vitest';
import { nextRandom, seedRandom } from '../../../assembly/shared/random.ts';
import { readWatchedObject } from '../../../src/api/read-object.ts';
import { settleConfig } from '../../../src/api/settings.ts';
import { createCompiler } from '../../../src/compile/compile.ts';
import { compileOptionsFor } from '../../../src/compile/node-options.ts';
import { checkEngine } from '../../../src/engine/wasm/check-engine.ts';
import { createState } from '../../../src/state/state.ts';
import { NODE, objectsOf, PLANS, type RandomService } from '../../differential/clusters.ts';
import { engineFor } from './engine-for.ts';

const SERVICES = 8;
const CHANGES = 10_000;
const SEED = 20_240_501;
const CHECK_EVERY = 500;

class Numbers {
  #state = seedRandom(SEED);

  below(bound: number): number {
    this.#state = nextRandom(this.#state);
    return Math.floor((this.#state / 2 ** 32) * bound);
  }
}

function serviceFrom(numbers: Numbers): RandomService {
  return {
    protocol: numbers.below(2) === 0 ? 'TCP' : 'UDP',
    type: (['ClusterIP', 'NodePort', 'LoadBalancer'] as const)[numbers.below(3)] ?? 'ClusterIP',
    internalLocal: numbers.below(4) === 0,
    externalLocal: numbers.below(4) === 0,
    affinity: numbers.below(3) === 0,
    hasExternalIP: numbers.below(3) === 0,
    range: numbers.below(8) - 3,
    endpoints: Array.from({ length: numbers.below(8) }, (_, pod) => ({
      pod,
      isLocal: numbers.below(2) === 0,
      condition: 'ready' as const,
    })),
  };
}

describe.each(['iptables', 'nftables', 'ipvs'] as const)('the tables of %s mode', (mode) => {
  test(`take no more memory after ${CHANGES} changes than before`, { timeout: 120_000 }, () => {
    const plan = PLANS.IPv4;
    const settings = settleConfig({ mode, nodeName: NODE, nodeIPs: plan.node, config: { clusterCIDR: plan.podCIDR } });
    const state = createState({ nodeName: NODE, features: settings.features });
    const compile = createCompiler(mode);
    const engine = engineFor(mode);
    const numbers = new Numbers();
    const load = (): void => engine.load(compile(state.expectedState('IPv4'), compileOptionsFor(settings, 'IPv4')));
    const applyAll = (services: readonly RandomService[]): void => {
      state.apply(
        services.flatMap((service, index) => objectsOf(index, service, plan)).flatMap((object) => readWatchedObject(object) ?? []),
      );
      load();
    };
    const first = Array.from({ length: SERVICES }, () => serviceFrom(numbers));
    applyAll(first);
    const before = engine.counters(0).memory;
    let reservedEarly = 0;
    for (let change = 0; change < CHANGES; change++) {
      const index = numbers.below(SERVICES);
      if (numbers.below(6) === 0) state.delete([{ kind: 'Service', namespace: 'ns', name: `svc${index}` }]);
      else state.apply(objectsOf(index, serviceFrom(numbers), plan).flatMap((object) => readWatchedObject(object) ?? []));
      load();
      if (change % CHECK_EVERY === 0) checkEngine(engine);
      if (change === CHANGES / 5) reservedEarly = engine.counters(0).memory?.reserved ?? 0;
    }
    applyAll(first);
    checkEngine(engine);
    const after = engine.counters(0).memory;
    expect(after?.rules).toBe(before?.rules);
    // The root keeps room for as many numbers as there once were.
    expect(after?.tables).toBeLessThan((before?.tables ?? 0) * 1.5);
    // Blocks of each size are found again: four times as many changes more take little more, and no longer grow with their number.
    expect(after?.reserved).toBeLessThan(reservedEarly * 1.25);
  });
});
