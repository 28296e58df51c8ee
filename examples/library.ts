// Which Pod does a node send a new connection to? Manifests in, backend out; no cluster, no root. The README shows the same lines.
import { readFileSync } from 'node:fs';
import { createDataplane, parseManifests } from 'svcplane';
import { createCluster } from 'svcplane/cluster';

const cluster = createCluster(); // three nodes; makes Pods, addresses and EndpointSlices, as a cluster would
cluster.apply(parseManifests(readFileSync('examples/hostnames.yaml', 'utf8')));
const dataplane = await createDataplane({ mode: 'nftables', nodeName: 'node-1', config: { clusterCIDR: '10.244.0.0/16' } });
cluster.connect(dataplane);
const destination = dataplane.servicePorts()[0]?.frontends[0]?.address ?? '';
const packet = { protocol: 'TCP', source: '10.244.1.250', sourcePort: 40000, destination, destinationPort: 80 } as const;
console.log(dataplane.process(packet)); // one connection: where it goes
for (const { backend, probability } of dataplane.explain(packet).outcomes) console.log(backend, probability);
