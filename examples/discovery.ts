// From a name to the Pod that answers, and what a drained node changes: DNS, endpoints and routing follow one cluster.
import { readFileSync } from 'node:fs';
import { createDataplane, parseManifests } from 'svcplane';
import { createCluster } from 'svcplane/cluster';
import { createClusterDns } from 'svcplane/dns';

const cluster = createCluster({ nodes: 3 });
cluster.apply(parseManifests(readFileSync('examples/discovery.yaml', 'utf8'), 'examples/discovery.yaml'));
const dns = await createClusterDns();
const dataplane = await createDataplane({ nodeName: 'node-1', config: { clusterCIDR: '10.244.0.0/16' }, seed: 1 });
cluster.connect(dns);
cluster.connect(dataplane);

/** Where every Pod runs, by its address. */
function pods(): Map<string, { name: string; node: string }> {
  const all = cluster.objects('Pod').map(({ metadata, spec, status }) => {
    const { podIP, nodeName } = { ...(spec as { nodeName: string }), ...(status as { podIP: string }) };
    return [podIP, { name: metadata.name, node: nodeName }] as const;
  });
  return new Map(all);
}

/** Resolves a name as the client's resolver does, and sends the first packet of a connection to the answer. */
async function call(name: string, destinationPort: number, sourcePort: number): Promise<string> {
  const { answer, steps } = await dns.resolve(name, 'A', { pod: 'default/client' });
  const [destination] = answer.flatMap((record) => (record.type === 'A' ? [record.address] : []));
  if (destination === undefined) return `${name} → no such name`;
  const [source = ''] = [...pods()].find(([, { name: pod }]) => pod === 'client') ?? [];
  const { backend } = dataplane.process({ protocol: 'TCP', source, sourcePort, destination, destinationPort });
  const pod = pods().get(backend?.address ?? destination);
  return `${name} → ${destination} (query ${steps.length}) → ${pod?.name} on ${pod?.node}`;
}

async function show(title: string, sourcePort: number): Promise<void> {
  console.log(`${title}:`);
  for (const index of [0, 1, 2]) console.log(`  ${await call('web', 80, sourcePort + index)}`);
  for (const name of ['db-0.db', 'db-1.db']) console.log(`  ${await call(name, 5432, sourcePort)}`);
  const { answer } = await dns.resolve('db.default.svc.cluster.local');
  const nodes = answer.map((record) => (record.type === 'A' ? pods().get(record.address)?.node : ''));
  console.log(`  db is ${answer.length} Pods, on ${[...new Set(nodes)].sort().join(', ')}`);
}

await show('Before', 40_000);
cluster.drain('node-2'); // its Pods terminate: no name and no new connection leads there, and the Deployment has another Pod elsewhere
await show('node-2 drained', 45_000);
cluster.advance(30); // their grace period is over: the StatefulSet's Pod comes back elsewhere, under its name
await show('30 seconds later', 50_000);
