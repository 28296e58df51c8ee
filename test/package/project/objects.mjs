// One Service with one endpoint, as an API server hands them out, and one packet to it.
export const objects = [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: { type: 'ClusterIP', clusterIP: '10.96.0.20', clusterIPs: ['10.96.0.20'], ipFamilies: ['IPv4'], ports: [{ port: 80 }] },
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.244.2.5'], conditions: { ready: true } }],
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
  },
];

/** A Service without endpoints, as text: each way to load the package has to find the YAML parser. */
const manifest = `
apiVersion: v1
kind: Service
metadata: { name: idle, namespace: default }
spec: { clusterIP: 10.96.0.21, ports: [{ port: 80 }] }
`;

export const packet = { protocol: 'TCP', source: '10.244.1.9', sourcePort: 40000, destination: '10.96.0.20', destinationPort: 80 };

/** What a test looks at, of one packet through a dataplane of this library. */
export async function sendOne({ createDataplane, parseManifests }, options = {}) {
  const warnings = [];
  const dataplane = await createDataplane({ nodeIPs: ['192.168.0.11'], onWarning: (message) => warnings.push(message), ...options });
  dataplane.apply([...objects, ...parseManifests(manifest)]);
  const { action, backend } = dataplane.process(packet);
  const idle = dataplane.process({ ...packet, destination: '10.96.0.21' }).action;
  return { engine: dataplane.engine, action, backend: `${backend.address}:${backend.port}`, idle, warnings };
}
