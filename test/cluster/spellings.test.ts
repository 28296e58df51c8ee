// A manifest applied again in other words: whatever is written out, left empty or put in another order, the cluster stays as it is.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../src/api/types.ts';
import { fieldsOf, isFields, listOf } from '../../src/cluster/fields.ts';
import { type Cluster, createCluster } from '../../src/cluster.ts';
import { type Pick, reordered, shuffled } from '../conformance/retold.ts';
import { deployment, parse, service, workload } from './manifests.ts';

const LOCAL = 'type: LoadBalancer, externalTrafficPolicy: Local';
const MANIFESTS = [
  deployment('web', 3, 'ports: [{name: http, containerPort: 8080}], readinessProbe: {httpGet: {port: http}}'),
  workload('StatefulSet', 'db', 'replicas: 2, serviceName: db, '),
  workload('DaemonSet', 'agent', ''),
  '{apiVersion: v1, kind: Pod, metadata: {name: bare, labels: {app: web}}, spec: {containers: [{name: c}]}}\n---\n',
  service('web', 'ipFamilyPolicy: PreferDualStack', '[{name: a, port: 80, targetPort: http}, {name: b, port: 53, protocol: UDP}]'),
  service('db', 'clusterIP: None'),
  service('free', 'clusterIP: None').replace('selector: {app: free}, ', ''),
  service('agent', `${LOCAL}, sessionAffinity: ClientIP`),
  service('fixed', 'type: NodePort, clusterIP: 10.96.0.50', '[{name: t, port: 53}, {name: u, port: 53, protocol: UDP, nodePort: 30053}]'),
].join('');

/** What an API server takes for a field that is not there. */
const EMPTY: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  Service: {
    clusterIP: '',
    clusterIPs: [],
    externalIPs: [],
    ipFamilies: [],
    healthCheckNodePort: 0,
    sessionAffinity: '',
    externalName: '',
  },
  Pod: { nodeName: '', hostname: '', tolerations: [], nodeSelector: {} },
};
const NULLABLE: Readonly<Record<string, readonly string[]>> = {
  Service: [
    'clusterIP',
    'clusterIPs',
    'ipFamilies',
    'ipFamilyPolicy',
    'healthCheckNodePort',
    'sessionAffinityConfig',
    'internalTrafficPolicy',
  ],
  Pod: ['nodeName', 'hostname', 'subdomain', 'initContainers', 'tolerations', 'hostNetwork'],
  template: ['nodeName', 'hostname', 'initContainers', 'hostNetwork'],
  workload: ['replicas', 'strategy', 'updateStrategy', 'revisionHistoryLimit'],
};

/** What an API server fills into a template, and who writes it out says nothing new. */
const PROBE = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
const TEMPLATE = { dnsPolicy: 'ClusterFirst', schedulerName: 'default-scheduler', terminationGracePeriodSeconds: 30 };

/** Fields that are not there, empty or null; some of each. */
function filled(spec: unknown, kind: string, pick: Pick): Record<string, unknown> {
  const { [kind]: empty = {} } = EMPTY;
  const { [kind]: nullable = [] } = NULLABLE;
  const absent = [...Object.entries(empty), ...nullable.map((field) => [field, null] as const)];
  const added = shuffled(absent, pick).filter(([field]) => !(field in fieldsOf(spec)) && pick(2) === 0);
  return { ...Object.fromEntries(added), ...fieldsOf(spec) };
}

function otherwise(object: KubernetesObject, pick: Pick): KubernetesObject {
  const { kind, metadata } = object;
  const spec = fieldsOf(object.spec);
  const isOwn = kind === 'Service' || kind === 'Pod';
  const template = fieldsOf(spec.template);
  const defaults = pick(2) === 0 ? {} : TEMPLATE;
  const pod: Record<string, unknown> = { ...defaults, ...filled(template.spec, 'template', pick) };
  const containers = listOf(pod.containers)
    .map(fieldsOf)
    .map(({ ports, readinessProbe, ...container }) => ({
      resources: {},
      env: null,
      ...container,
      ...(ports === undefined ? {} : { ports: listOf(ports).map((port) => ({ protocol: 'TCP', ...fieldsOf(port) })) }),
      ...(readinessProbe === undefined ? {} : { readinessProbe: { ...PROBE, ...fieldsOf(readinessProbe) } }),
    }));
  const written = {
    ...object,
    metadata: { creationTimestamp: null, annotations: null, ...metadata },
    spec: {
      ...filled(spec, isOwn ? kind : 'workload', pick),
      ...(isFields(spec.template)
        ? { template: { metadata: { creationTimestamp: null, ...fieldsOf(template.metadata) }, spec: { ...pod, containers } } }
        : {}),
    },
    ...(kind === 'Service' ? {} : { status: {} }),
  };
  return reordered(written, pick) as unknown as KubernetesObject;
}

/** All that the cluster chose and made: addresses, ports, Pods, slices. */
function chosen(cluster: Cluster): unknown {
  const services = cluster.objects('Service').map(({ metadata, spec }) => {
    const { clusterIPs, ipFamilies, ipFamilyPolicy, healthCheckNodePort, ports, sessionAffinity, sessionAffinityConfig } = fieldsOf(spec);
    const numbers = listOf(ports).map((port) => `${fieldsOf(port).name} ${fieldsOf(port).nodePort} ${fieldsOf(port).targetPort}`);
    const affinity = [sessionAffinity, sessionAffinityConfig];
    return [metadata.name, clusterIPs, ipFamilies, ipFamilyPolicy, Number(healthCheckNodePort ?? 0), numbers.sort(), affinity];
  });
  const pods = cluster
    .objects('Pod')
    .map(({ metadata, spec, status }) => [metadata.name, fieldsOf(spec).nodeName, status, metadata.deletionTimestamp]);
  const slices = cluster.objects('EndpointSlice').map(({ metadata, endpoints }) => [metadata.name, endpoints]);
  return { services, pods, slices };
}

test('a manifest in other words changes nothing, applied anew or again', () => {
  // fast-check prints the seed of a failure.
  fc.assert(
    fc.property(fc.gen(), (gen) => {
      const pick: Pick = (below) => gen(fc.nat, { max: below - 1 });
      const given = parse(MANIFESTS);
      const [plain, again, anew] = [0, 1, 2].map(() => createCluster({ ipFamilies: ['IPv4', 'IPv6'] })) as [Cluster, Cluster, Cluster];
      plain.apply(given);
      again.apply(given);
      again.apply(shuffled(given, pick).map((object) => otherwise(object, pick)));
      anew.apply(given.map((object) => otherwise(object, pick)));
      expect(chosen(again)).toEqual(chosen(plain));
      expect(chosen(anew)).toEqual(chosen(plain));
    }),
    { numRuns: 15, endOnFailure: true },
  );
});
