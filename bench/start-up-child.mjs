// One fresh process: imports the package that lies beside this file, and sends one packet. The engine is the first argument; the times of
// the stages leave as JSON. Not TypeScript: a loader would be timed, too.
const node = performance.now();
const { createDataplaneSync } = await import('svcplane');
const imported = performance.now();
const dataplane = createDataplaneSync({ engine: process.argv[2], mode: 'iptables', nodeName: 'bench', nodeIPs: ['192.168.0.11'] });
const created = performance.now();
dataplane.apply([
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'bench' },
    spec: { clusterIP: '10.96.0.10', ports: [{ protocol: 'TCP', port: 80 }] },
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', namespace: 'bench', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: '', protocol: 'TCP', port: 8080 }],
    endpoints: [{ addresses: ['10.244.1.10'], conditions: { ready: true } }],
  },
]);
const applied = performance.now();
const { action } = dataplane.process({
  protocol: 'TCP',
  source: '172.16.0.1',
  sourcePort: 40_000,
  destination: '10.96.0.10',
  destinationPort: 80,
});
const decided = performance.now();
if (action !== 'DNAT') throw new Error(`the first packet was ${action}`);
const times = { node, import: imported - node, create: created - imported, apply: applied - created, packet: decided - applied };
process.stdout.write(JSON.stringify(times));
