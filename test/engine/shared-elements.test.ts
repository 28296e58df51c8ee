// Ports of one Service share its address: the sets that hold it, and the node's local addresses, keep it until the last port is gone.
import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../src/api/types.ts';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Dataplane } from '../../src/dataplane-types.ts';

const CLUSTER_IP = '10.96.0.10';
const PORTS = [80, 443, 8080];

function service(ports: readonly number[]): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name: 'web' },
    spec: { type: 'ClusterIP', clusterIP: CLUSTER_IP, ports: ports.map((port) => ({ name: `p${port}`, protocol: 'TCP', port })) },
  };
}

function slice(ports: readonly number[]): KubernetesObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'default', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: ports.map((port) => ({ name: `p${port}`, protocol: 'TCP', port })),
    endpoints: [{ addresses: ['10.244.1.5'] }],
  };
}

/** What becomes of a connection to each port, and to one that no Service has. */
function actions(dataplane: Dataplane, sourcePort: number): string[] {
  return [...PORTS, 9].map((destinationPort) => {
    const packet = { protocol: 'TCP', source: '172.16.0.1', sourcePort, destination: CLUSTER_IP, destinationPort } as const;
    return dataplane.process(packet).action;
  });
}

const CASES = (['iptables', 'nftables', 'ipvs'] as const).flatMap((mode) => (['wasm', 'js'] as const).map((engine) => ({ mode, engine })));

test.each(CASES)('ports of a Service come and go in $mode mode, $engine engine', ({ mode, engine }) => {
  const options = { mode, engine, seed: 1, nodeIPs: ['192.168.0.11'], serviceCIDRs: ['10.96.0.0/16'], now: () => 1000 };
  using changed = createDataplaneSync(options);
  for (const [step, ports] of [PORTS, [80], [80, 443], [443], [], PORTS, [8080]].entries()) {
    using whole = createDataplaneSync(options);
    const objects = ports.length === 0 ? [] : [service(ports), slice(ports)];
    if (ports.length === 0) changed.delete([{ kind: 'Service', namespace: 'default', name: 'web' }]);
    else changed.apply(objects);
    whole.apply(objects);
    expect(actions(changed, 2000 + step), `ports ${ports.join()}`).toEqual(actions(whole, 2000 + step));
  }
});
