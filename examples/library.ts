// Which Pod does a node send a new connection to? Manifests in, backend out; no cluster, no root. The README shows the same lines.
import { createDataplane, parseManifests } from 'svcplane';
import { createCluster } from 'svcplane/cluster';

const manifests = parseManifests(`
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, clusterIP: 10.96.0.20, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: web }] }
`);
const cluster = createCluster(); // three nodes; makes Pods, addresses and EndpointSlices, as a cluster would
cluster.apply(manifests);
const dataplane = await createDataplane({ mode: 'nftables', nodeName: 'node-1', config: { clusterCIDR: '10.244.0.0/16' } });
cluster.connect(dataplane);

const client = { source: '10.244.1.250', sourcePort: 40000 };
const web = { destination: '10.96.0.20', destinationPort: 80 };
console.log(dataplane.process({ protocol: 'TCP', ...client, ...web })); // one connection: where it goes
const { outcomes } = dataplane.explain({ protocol: 'TCP', ...client, ...web }); // all that may become of a new one
for (const { backend, probability } of outcomes) console.log(backend, probability);
