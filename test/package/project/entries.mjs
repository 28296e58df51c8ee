import { createCluster } from 'svcplane/cluster';
import { createClusterDns } from 'svcplane/dns';
import { createIpvs } from 'svcplane/ipvs';

const web = { protocol: 'TCP', address: '10.96.0.10', port: 80 };
const ipvs = await createIpvs();
ipvs.addService(web, { scheduler: 'rr' });
ipvs.addServer(web, { address: '10.0.0.1', port: 8080 });
const { action } = ipvs.process({
  protocol: 'TCP',
  source: '172.16.0.1',
  sourcePort: 2000,
  destination: '10.96.0.10',
  destinationPort: 80,
});
const cluster = createCluster({ nodes: 2 });
const dns = await createClusterDns();
cluster.connect(dns);
console.log(JSON.stringify({ action, nodes: cluster.objects('Node').length, outcome: typeof (await dns.resolve('kubernetes')).outcome }));
