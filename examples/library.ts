// Which Pod does a node send a new connection to? Manifests in, backend out; no cluster, no root.
import { readFileSync } from 'node:fs';
import { createDataplane, parseManifests } from 'svcplane';
import { createCluster } from 'svcplane/cluster';

const cluster = createCluster();
cluster.apply(parseManifests(readFileSync('examples/hostnames.yaml', 'utf8'), 'examples/hostnames.yaml'));

const dataplane = await createDataplane({ nodeName: 'node-1', config: { clusterCIDR: '10.244.0.0/16' } });
cluster.connect(dataplane);

const [frontend] = dataplane.servicePorts()[0]?.frontends ?? [];
const packet = {
  protocol: 'TCP',
  source: '10.244.1.250',
  sourcePort: 40000,
  destination: frontend?.address ?? '',
  destinationPort: 80,
} as const;
console.log(dataplane.process(packet)); // one connection: where it goes
for (const { backend, probability } of dataplane.explain(packet).outcomes) console.log(backend, probability); // and where it could have gone
