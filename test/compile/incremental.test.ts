// Compiling again after a change: the Program is the one that a fresh compiler makes of the same state, and what did not change in it
// is the same object as before.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Family } from '../../src/address.ts';
import { readWatchedObject } from '../../src/api/read-object.ts';
import { settleConfig } from '../../src/api/settings.ts';
import type { KubernetesObject } from '../../src/api/types.ts';
import { compile, createCompiler } from '../../src/compile/compile.ts';
import { compileOptionsFor } from '../../src/compile/node-options.ts';
import type { ProxyMode } from '../../src/packet.ts';
import { rulesOf } from '../../src/program/joined.ts';
import type { Program } from '../../src/program/program.ts';
import type { Chain } from '../../src/program/ruleset.ts';
import { type ClusterState, createState } from '../../src/state/state.ts';
import { NODE, objectsOf, PLANS, type RandomService, randomService } from '../differential/clusters.ts';

const cases = (['iptables', 'nftables', 'ipvs'] as const).flatMap((mode) =>
  (['IPv4', 'IPv6'] as const).map((family) => ({ mode, family })),
);

function applyTo(state: ClusterState, objects: readonly KubernetesObject[]): void {
  state.apply(objects.flatMap((object) => readWatchedObject(object) ?? []));
}

function stateAndOptions(mode: ProxyMode, family: Family) {
  const settings = settleConfig({ mode, nodeName: NODE, nodeIPs: PLANS[family].node, config: { clusterCIDR: PLANS[family].podCIDR } });
  return {
    state: createState({ nodeName: NODE, features: settings.features }),
    options: compileOptionsFor(settings, family),
  };
}

/** All that a renderer or an engine reads, as plain data. */
function plain(program: Program): unknown {
  return JSON.parse(JSON.stringify(program));
}

function chainsByName(program: Program): Map<string, Chain> {
  return new Map(program.tables.flatMap((table) => table.chains.map((chain) => [`${table.name} ${chain.name}`, chain])));
}

describe.each(cases)('a compiler of $mode mode for $family', ({ mode, family }) => {
  test('makes after each change what a fresh one makes, and keeps chains that say the same', () => {
    const change = fc.record({ number: fc.nat(5), to: fc.option(randomService(true)) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), (changes) => {
        const { state, options } = stateAndOptions(mode, family);
        const again = createCompiler(mode);
        let before = again(state.expectedState(family), options);
        for (const { number, to } of changes) {
          if (to === null) state.delete([{ kind: 'Service', namespace: 'ns', name: `svc${number}` }]);
          else applyTo(state, objectsOf(number, to, PLANS[family]));
          const expected = state.expectedState(family);
          const program = again(expected, options);
          expect(plain(program)).toEqual(plain(compile(mode, expected, options)));
          const known = chainsByName(before);
          for (const [name, chain] of chainsByName(program)) {
            const earlier = known.get(name);
            const isShared = [chain, earlier].some((one) => one !== undefined && rulesOf(one).parts.length > 0); // made anew when a ServicePort comes that gives it nothing
            if (!isShared && JSON.stringify(earlier) === JSON.stringify(chain)) expect(chain, name).toBe(earlier);
          }
          before = program;
        }
      }),
      { numRuns: 40 },
    );
  });

  test('hands out the same lists when nothing changed', () => {
    const { state, options } = stateAndOptions(mode, family);
    const service: RandomService = {
      protocol: 'TCP',
      type: 'NodePort',
      internalLocal: false,
      externalLocal: false,
      affinity: false,
      hasExternalIP: true,
      range: -1,
      endpoints: [{ pod: 1, isLocal: true, condition: 'ready' }],
    };
    applyTo(state, objectsOf(0, service, PLANS[family]));
    const again = createCompiler(mode);
    const first = again(state.expectedState(family), options);
    const second = again(state.expectedState(family), { ...options });
    for (const [index, table] of second.tables.entries()) expect(table).toBe(first.tables[index]);
    for (const [index, set] of second.sets.entries()) expect(set).toBe(first.sets[index]);
    for (const [index, map] of second.maps.entries()) expect(map).toBe(first.maps[index]);
  });
});
