// Tables of a cluster large enough that memory grows, and views of it are made anew, while they are written.
import { expect, test } from 'vitest';
import { readWatchedObject } from '../../../src/api/read-object.ts';
import { settleConfig } from '../../../src/api/settings.ts';
import type { KubernetesObject } from '../../../src/api/types.ts';
import { createCompiler } from '../../../src/compile/compile.ts';
import { compileOptionsFor } from '../../../src/compile/node-options.ts';
import { checkEngine } from '../../../src/engine/wasm/check-engine.ts';
import { createState } from '../../../src/state/state.ts';
import { engineFor } from './engine-for.ts';

const SERVICES = 4000;
const ENDPOINTS = 40;

function* cluster(): Generator<KubernetesObject> {
  for (let number = 0; number < SERVICES; number++) {
    const [high, low] = [number >> 8, number & 255];
    yield {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: `s${number}`, namespace: 'ns' },
      spec: { type: 'ClusterIP', clusterIP: `10.96.${high}.${low}`, ipFamilies: ['IPv4'], ports: [{ protocol: 'TCP', port: 80 }] },
    };
    yield {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `s${number}-1`, namespace: 'ns', labels: { 'kubernetes.io/service-name': `s${number}` } },
      addressType: 'IPv4',
      ports: [{ name: '', protocol: 'TCP', port: 8080 }],
      endpoints: Array.from({ length: ENDPOINTS }, (_, endpoint) => ({ addresses: [`10.${128 + high}.${low}.${endpoint}`] })),
    };
  }
}

test.each(['iptables', 'nftables', 'ipvs'] as const)(
  'the tables of %s mode hold when memory grew under them',
  { timeout: 60_000 },
  (mode) => {
    const settings = settleConfig({ mode, nodeName: 'n', nodeIPs: ['192.168.0.11'], config: { clusterCIDR: '10.128.0.0/9' } });
    const state = createState({ nodeName: 'n', features: settings.features });
    const engine = engineFor(mode);
    state.apply(Array.from(cluster(), (object) => readWatchedObject(object)).filter((object) => object !== undefined));
    const program = createCompiler(mode)(state.expectedState('IPv4'), compileOptionsFor(settings, 'IPv4'));
    const before = engine.counters(0).memory?.reserved ?? 0;

    engine.load(program);

    expect(engine.counters(0).memory?.reserved).toBeGreaterThan(before * 2);
    checkEngine(engine);
  },
);
