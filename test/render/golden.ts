// The small cluster of the golden files, and dataplanes of its first node.
import { readFileSync } from 'node:fs';
import { parseManifests } from '../../src/api/manifests.ts';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Dataplane } from '../../src/dataplane-types.ts';
import type { ProxyMode } from '../../src/packet.ts';

export const goldenFolder = new URL('../golden/', import.meta.url);

const FILES: Readonly<Record<ProxyMode, readonly string[]>> = {
  iptables: ['cluster.yaml', 'affinity.yaml'],
  nftables: ['cluster.yaml', 'affinity.yaml'],
  ipvs: ['cluster.yaml'],
};

export function goldenDataplane(mode: ProxyMode): Dataplane {
  const dataplane = createDataplaneSync({
    mode,
    engine: 'js',
    seed: 1,
    nodeName: 'node-1',
    nodeIPs: ['192.168.0.11', 'fd00:192:168::11'],
    serviceCIDRs: ['10.96.0.0/16', 'fd00:10:96::/112'],
    config: { clusterCIDR: '10.244.0.0/16,fd00:10:244::/56', detectLocalMode: 'ClusterCIDR' },
  });
  for (const file of FILES[mode]) dataplane.apply(parseManifests(readFileSync(new URL(file, goldenFolder), 'utf8'), file));
  return dataplane;
}
