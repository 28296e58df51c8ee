// The cases of kube-proxy-endpoint-selection.json, and the objects that each of them stands for.
import type { KubernetesObject } from '../../src/api/types.ts';
import { loadConformance } from './data.ts';

export interface SelectionCase {
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

export const { cases: SELECTIONS } = loadConformance<{ readonly cases: readonly SelectionCase[] }>('kube-proxy-endpoint-selection.json');

/** The node, the Service, and its endpoints in one slice. */
export function objectsOf({ node, service, endpoints, port }: SelectionCase): KubernetesObject[] {
  const { namespace, name } = service.metadata;
  return [
    { apiVersion: 'v1', kind: 'Node', metadata: { name: node.name, labels: node.labels ?? {} } },
    service,
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...(namespace === undefined ? {} : { namespace }), name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints,
      ports: [{ name: '', protocol: 'TCP', port }],
    },
  ];
}
