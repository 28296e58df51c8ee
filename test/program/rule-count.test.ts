import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readWatchedObject } from '../../src/api/read-object.ts';
import { settleConfig } from '../../src/api/settings.ts';
import { compile } from '../../src/compile/compile.ts';
import { compileOptionsFor } from '../../src/compile/node-options.ts';
import { ruleCountOf } from '../../src/program/rule-count.ts';
import { createState } from '../../src/state/state.ts';
import { NODE, objectsOf, PLANS, randomService } from '../differential/clusters.ts';

test.each(['iptables', 'nftables', 'ipvs'] as const)('the rules of %s mode are counted without being read', (mode) => {
  const plan = PLANS.IPv4;
  const settings = settleConfig({ mode, nodeName: NODE, nodeIPs: plan.node, config: { clusterCIDR: plan.podCIDR } });
  fc.assert(
    fc.property(fc.array(randomService(true), { maxLength: 6 }), (services) => {
      const state = createState({ nodeName: NODE, features: settings.features });
      const objects = services.flatMap((service, index) => objectsOf(index, service, plan));
      state.apply(objects.flatMap((object) => readWatchedObject(object) ?? []));
      const program = compile(mode, state.expectedState('IPv4'), compileOptionsFor(settings, 'IPv4'));

      const count = ruleCountOf(program);

      const rules = program.tables.flatMap(({ chains }) => chains.flatMap((chain) => chain.rules));
      expect(count).toBe(rules.length);
    }),
  );
});
