// The small cluster of the golden files, and the Programs and dataplanes of its first node.
import { readFileSync } from 'node:fs';
import type { Family } from '../../src/address.ts';
import { parseManifests } from '../../src/api/manifests.ts';
import { readWatchedObject } from '../../src/api/read-object.ts';
import { settleConfig } from '../../src/api/settings.ts';
import type { KubernetesObject } from '../../src/api/types.ts';
import { compile } from '../../src/compile/compile.ts';
import { compileOptionsFor } from '../../src/compile/node-options.ts';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Dataplane } from '../../src/dataplane-types.ts';
import type { ProxyMode } from '../../src/packet.ts';
import type { Program } from '../../src/program/program.ts';
import { createState } from '../../src/state/state.ts';

export const goldenFolder = new URL('../golden/', import.meta.url);

const FILES: Readonly<Record<ProxyMode, readonly string[]>> = {
  iptables: ['cluster.yaml', 'affinity.yaml'],
  nftables: ['cluster.yaml', 'affinity.yaml'],
  ipvs: ['cluster.yaml', 'affinity.yaml'],
};

const NODE = {
  nodeName: 'node-1',
  nodeIPs: ['192.168.0.11', 'fd00:192:168::11'],
  serviceCIDRs: ['10.96.0.0/16', 'fd00:10:96::/112'],
  config: { clusterCIDR: '10.244.0.0/16,fd00:10:244::/56', detectLocalMode: 'ClusterCIDR' },
};

/** What the compiler of that mode makes, before anything is printed. */
export function goldenProgram(mode: ProxyMode, family: Family): Program {
  const settings = settleConfig({ mode, ...NODE });
  const state = createState({ nodeName: NODE.nodeName, features: settings.features });
  state.apply(goldenObjects(mode).flatMap((object) => readWatchedObject(object) ?? []));
  return compile(mode, state.expectedState(family), compileOptionsFor(settings, family));
}

export function goldenDataplane(mode: ProxyMode): Dataplane {
  const dataplane = createDataplaneSync({ mode, engine: 'js', seed: 1, ...NODE });
  dataplane.apply(goldenObjects(mode));
  return dataplane;
}

function goldenObjects(mode: ProxyMode): KubernetesObject[] {
  return FILES[mode].flatMap((file) => parseManifests(readFileSync(new URL(file, goldenFolder), 'utf8'), file));
}
