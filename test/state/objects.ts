// Short ways to write the objects of the tests in this folder.
import { type EndpointOfSlice, type EndpointSlice, readEndpointSlice } from '../../src/api/endpoint-slice.ts';
import { type Node, readNode } from '../../src/api/node.ts';
import { readService, type Service } from '../../src/api/service.ts';
import { settleConfig } from '../../src/api/settings.ts';
import type { KubernetesObject } from '../../src/api/types.ts';
import { type ClusterState, createState } from '../../src/state/state.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A Service ns/name on port 80, unless the spec says otherwise. */
export function service(
  name: string,
  spec: Fields = {},
  rest: { readonly labels?: Record<string, string>; readonly status?: Fields } = {},
): Service {
  const { labels = {}, status = {} } = rest;
  const object: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'ns', name, labels },
    spec: { clusterIP: '10.0.0.1', ports: [{ port: 80 }], ...spec },
    status,
  };
  return readService(object);
}

/** An endpoint `address` on node n1 (here) or elsewhere. */
export function endpoint(address: string, fields: Fields & { readonly conditions?: Partial<EndpointOfSlice> } = {}): Fields {
  return { addresses: [address], nodeName: 'elsewhere', ...fields };
}

export function slice(name: string, serviceName: string, endpoints: readonly Fields[], fields: Fields = {}): EndpointSlice {
  return readEndpointSlice({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'ns', name, labels: { 'kubernetes.io/service-name': serviceName } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080 }],
    endpoints,
    ...fields,
  });
}

export function node(name: string, zone: string): Node {
  return readNode({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'topology.kubernetes.io/zone': zone } } });
}

/** The state of node n1. */
export function emptyState(featureGates: Readonly<Record<string, boolean>> = {}): ClusterState {
  return createState({ nodeName: 'n1', features: settleConfig({ config: { featureGates } }).features });
}

/** Cluster and local endpoints of the only ServicePort. */
export function chosen(state: ClusterState): { cluster: string[]; local: string[]; hasAny: boolean } {
  const [only] = state.expectedState('IPv4').servicePorts;
  if (only === undefined) throw new Error('no ServicePort');
  return {
    cluster: only.clusterEndpoints.map(({ text }) => text),
    local: only.localEndpoints.map(({ text }) => text),
    hasAny: only.hasAnyEndpoints,
  };
}
