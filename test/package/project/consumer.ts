// A strict TypeScript consumer of every entry, with no types but the language's own and the package's.
import {
  createDataplane,
  type Dataplane,
  type Explanation,
  InvalidObjectError,
  PACKET_LAYOUT,
  parseManifests,
  type Verdict,
} from 'svcplane';
import { type Cluster, createCluster } from 'svcplane/cluster';
import { createClusterDns, type Resolution } from 'svcplane/dns';
import { createDataplane as createExternal } from 'svcplane/external';
import { createIpvs, type IpvsVerdict } from 'svcplane/ipvs';
import { createDataplaneSync } from 'svcplane/js';
import { createDataplane as createWasm } from 'svcplane/wasm';

export async function use(core: ArrayBuffer): Promise<[Verdict, Explanation, IpvsVerdict, Resolution, number]> {
  const cluster: Cluster = createCluster({ nodes: 2 });
  cluster.apply(parseManifests('{}'));
  const dataplane: Dataplane = await createDataplane({ mode: 'ipvs', engine: 'auto' });
  cluster.connect(dataplane);
  const packet = { protocol: 'TCP', source: '10.0.0.1', sourcePort: 1, destination: '10.0.0.2', destinationPort: 2 } as const;
  using other = createDataplaneSync({ seed: 1 });
  await createExternal({ core });
  await createWasm({ engine: 'wasm' });
  const batch = other.createBatch(64);
  const word: number = batch.words[PACKET_LAYOUT.IPv4.sourceWord] ?? 0;
  const ipvs = await createIpvs({ conntrackHooks: true });
  const dns = await createClusterDns();
  try {
    return [dataplane.process(packet), dataplane.explain(packet), ipvs.process(packet), await dns.resolve('web'), word];
  } catch (error) {
    if (error instanceof InvalidObjectError) throw new RangeError(error.path);
    throw error;
  }
}
