// Which endpoints of a ServicePort a node uses: every case of kube-proxy-endpoint-selection.json.
import { expect, test } from 'vitest';
import { readEndpointSlice } from '../../src/api/endpoint-slice.ts';
import { readNode } from '../../src/api/node.ts';
import { readService } from '../../src/api/service.ts';
import { settleConfig } from '../../src/api/settings.ts';
import type { KubernetesObject } from '../../src/api/types.ts';
import { type Endpoint, usesClusterEndpoints, usesLocalEndpoints } from '../../src/state/expected-state.ts';
import { createState } from '../../src/state/state.ts';
import { loadConformance } from './data.ts';

interface SelectionCase {
  readonly id: string;
  readonly title: string;
  readonly node: { readonly name: string; readonly zone?: string; readonly labels?: Readonly<Record<string, string>> };
  readonly service: KubernetesObject;
  readonly endpoints: readonly unknown[];
  readonly port: number;
  readonly expect: {
    readonly clusterEndpoints: readonly string[] | null;
    readonly localEndpoints: readonly string[] | null;
    readonly allEndpoints: readonly string[];
    readonly onlyRemoteEndpoints: boolean;
    readonly hasAnyEndpoints: boolean;
  };
}

const { cases } = loadConformance<{ readonly cases: readonly SelectionCase[] }>('kube-proxy-endpoint-selection.json');

test.each(cases)('$id: $title', ({ node, service, endpoints, port, expect: expected }) => {
  const state = createState({ nodeName: node.name, features: settleConfig().features });
  state.apply([
    readNode({ apiVersion: 'v1', kind: 'Node', metadata: { name: node.name, labels: node.labels ?? {} } }),
    readService(service),
    readEndpointSlice(sliceOf(service, endpoints, port)),
  ]);

  const [selected] = state.expectedState('IPv4').servicePorts;

  if (selected === undefined) throw new Error('the Service has no ServicePort');
  const { servicePort, clusterEndpoints, localEndpoints, reachableEndpoints, hasAnyEndpoints } = selected;
  expect({
    clusterEndpoints: usesClusterEndpoints(servicePort) ? texts(clusterEndpoints) : null,
    localEndpoints: usesLocalEndpoints(servicePort) ? texts(localEndpoints) : null,
    allEndpoints: texts(reachableEndpoints),
    onlyRemoteEndpoints: hasAnyEndpoints && reachableEndpoints.length === 0,
    hasAnyEndpoints,
  }).toEqual({
    ...expected,
    clusterEndpoints: expected.clusterEndpoints?.toSorted() ?? null,
    localEndpoints: expected.localEndpoints?.toSorted() ?? null,
    allEndpoints: expected.allEndpoints.toSorted(),
  });
});

function texts(endpoints: readonly Endpoint[]): string[] {
  return endpoints.map((endpoint) => endpoint.text);
}

function sliceOf(service: KubernetesObject, endpoints: readonly unknown[], port: number): KubernetesObject {
  const { namespace, name } = service.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...(namespace === undefined ? {} : { namespace }), name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints,
    ports: [{ name: '', protocol: 'TCP', port }],
  };
}
