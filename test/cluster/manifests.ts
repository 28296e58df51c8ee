// Short ways to write and read the objects of the cluster tests.
import { parseManifests } from '../../src/api/manifests.ts';
import type { KubernetesObject } from '../../src/api/types.ts';
import { fieldsOf, listOf } from '../../src/cluster/fields.ts';
import { isTerminating, podIPs, podNode } from '../../src/cluster/pods.ts';
import type { Cluster } from '../../src/cluster.ts';

export function deployment(name: string, replicas: number, extra = ''): string {
  return workload('Deployment', name, `replicas: ${replicas}, `, extra);
}

/** `extra`: more of the container, as flow YAML. */
export function workload(kind: string, name: string, spec: string, extra = ''): string {
  const container = `{name: web, image: web${extra === '' ? '' : `, ${extra}`}}`;
  const template = `{metadata: {labels: {app: ${name}}}, spec: {containers: [${container}]}}`;
  return `
apiVersion: apps/v1
kind: ${kind}
metadata: {name: ${name}}
spec: {${spec}selector: {matchLabels: {app: ${name}}}, template: ${template}}
---
`;
}

/** `spec` comes before the ports and may hold more fields. */
export function service(name: string, spec = '', ports = '[{port: 80, targetPort: 8080}]'): string {
  return `
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {${spec}${spec === '' ? '' : ', '}selector: {app: ${name}}, ports: ${ports}}
---
`;
}

export function parse(text: string): KubernetesObject[] {
  return parseManifests(text, 'test.yaml');
}

export function pods(cluster: Cluster): { name: string; node: string; ip: string | undefined }[] {
  return cluster.objects('Pod').map((pod) => ({ name: pod.metadata.name, node: podNode(pod), ip: podIPs(pod)[0] }));
}

/** Names of Pods, sorted. */
export function terminating(cluster: Cluster): string[] {
  return cluster
    .objects('Pod')
    .filter(isTerminating)
    .map(({ metadata }) => metadata.name);
}

export function endpoints(cluster: Cluster): Record<string, unknown>[] {
  return cluster.objects('EndpointSlice').flatMap((slice) => listOf(slice.endpoints).map((endpoint) => ({ ...fieldsOf(endpoint) })));
}

export function spec(cluster: Cluster, kind: string, name: string): Readonly<Record<string, unknown>> {
  return fieldsOf(cluster.objects(kind).find((object) => object.metadata.name === name)?.spec);
}
