// Whatever happens in whatever order: a cluster looks again only at what a change concerns, and must end up as if it had looked at all.
import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { KubernetesObject } from '../../src/api/types.ts';
import { fieldsOf, labelsOf, listOf, numberOf, textOf, textsOf } from '../../src/cluster/fields.ts';
import { controllerOf } from '../../src/cluster/owners.ts';
import { isReady, isTerminating, podIPs, podNode } from '../../src/cluster/pods.ts';
import { type Cluster, createCluster } from '../../src/cluster.ts';
import { SvcplaneError } from '../../src/errors.ts';
import { deployment, parse, service, workload } from './manifests.ts';

type Event = (cluster: Cluster) => void;

const MANIFESTS =
  deployment('web', 4) +
  workload('StatefulSet', 'db', 'replicas: 3, serviceName: db, ') +
  workload('DaemonSet', 'agent', '') +
  service('web') +
  service('db', 'clusterIP: None') +
  service('agent') +
  '{apiVersion: v1, kind: Pod, metadata: {name: bare, labels: {app: web}}, spec: {containers: [{name: c}]}}';

const podAt = (cluster: Cluster, at: number) => {
  const all = cluster.objects('Pod');
  return `default/${all[at % all.length]?.metadata.name}`;
};
const place = fc.nat({ max: 20 });
const node = fc.constantFrom('node-1', 'node-2', 'node-3');

const event: fc.Arbitrary<Event> = fc.oneof(
  fc.tuple(place, fc.boolean()).map(
    ([at, ready]): Event =>
      (cluster) =>
        cluster.setReady(podAt(cluster, at), ready),
  ),
  place.map(
    (at): Event =>
      (cluster) =>
        cluster.terminate(podAt(cluster, at)),
  ),
  fc.nat({ max: 6 }).map(
    (replicas): Event =>
      (cluster) =>
        cluster.scale('Deployment/default/web', replicas),
  ),
  fc.nat({ max: 5 }).map(
    (replicas): Event =>
      (cluster) =>
        cluster.scale('StatefulSet/default/db', replicas),
  ),
  fc.tuple(node, fc.boolean()).map(
    ([name, force]): Event =>
      (cluster) =>
        cluster.drain(name, { force }),
  ),
  node.map(
    (name): Event =>
      (cluster) =>
        cluster.uncordon(name),
  ),
  fc.constantFrom(1, 15, 30, 60).map(
    (seconds): Event =>
      (cluster) =>
        cluster.advance(seconds),
  ),
  fc.nat({ max: 3 }).map(
    (version): Event =>
      (cluster) =>
        cluster.apply(parse(deployment('web', 4, `env: [{name: V, value: "${version}"}]`))),
  ),
  place.map(
    (at): Event =>
      (cluster) =>
        cluster.delete([{ kind: 'Pod', name: podAt(cluster, at).replace('default/', '') }]),
  ),
);

function mayFail(one: Event, cluster: Cluster): void {
  try {
    one(cluster);
  } catch (error) {
    if (!(error instanceof SvcplaneError)) throw error;
  }
}

/** `web 10.244.1.2 ready serving terminating`, straight from the Pods. */
function expectedEndpoints(cluster: Cluster): string[] {
  const all = cluster.objects('Pod');
  return cluster.objects('Service').flatMap(({ metadata, spec }) =>
    all
      .filter((pod) => podIPs(pod).length > 0 && labelsOf(pod.metadata.labels).app === labelsOf(fieldsOf(spec).selector).app)
      .map((pod) => {
        const conditions = [isReady(pod) && !isTerminating(pod), isReady(pod), isTerminating(pod)];
        return [metadata.name, podIPs(pod)[0], ...conditions].join(' ');
      }),
  );
}

function presentEndpoints(cluster: Cluster): string[] {
  return cluster.objects('EndpointSlice').flatMap((slice) =>
    listOf(slice.endpoints)
      .map(fieldsOf)
      .map(({ addresses, conditions }) => {
        const { ready, serving, terminating } = fieldsOf(conditions);
        return [labelsOf(slice.metadata.labels)['kubernetes.io/service-name'], textsOf(addresses)[0], ready, serving, terminating].join(
          ' ',
        );
      }),
  );
}

/** What is wrong with the Pods of the workloads; empty: nothing. */
function workloadProblems(cluster: Cluster): string[] {
  const activeOf = (owner: KubernetesObject) =>
    cluster.objects('Pod').filter((pod) => {
      const controller = controllerOf(pod);
      return controller?.kind === owner.kind && controller.name === owner.metadata.name && !isTerminating(pod);
    });
  const replicaSets = cluster.objects('ReplicaSet').flatMap((set) => {
    const [has, wants] = [activeOf(set).length, numberOf(fieldsOf(set.spec).replicas)];
    return has === wants ? [] : [`${set.metadata.name} has ${has} of ${wants}`];
  });
  const cordoned = new Set(
    cluster
      .objects('Node')
      .filter(({ spec }) => fieldsOf(spec).unschedulable === true)
      .map(({ metadata }) => metadata.name),
  );
  const waiting = cluster.objects('Pod').filter((pod) => podNode(pod) === '');
  const stuck = cordoned.size < 3 ? waiting.map(({ metadata }) => `${metadata.name} waits although a node is free`) : [];
  const addresses = cluster.objects('Pod').flatMap(podIPs);
  const twice = addresses.filter((address, index) => addresses.indexOf(address) !== index);
  return [...replicaSets, ...stuck, ...twice.map((address) => `${address} is there twice`)];
}

describe('any sequence of events', () => {
  test('leaves slices that say what the Pods say, workloads with what they want, and consumers that know all of it', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 25 }), (events) => {
        const cluster = createCluster();
        const known = new Map<string, KubernetesObject>();
        const keyOf = (kind: string, namespace: unknown, name: string) => `${kind}/${textOf(namespace)}/${name}`;
        cluster.connect({
          apply: (objects) => {
            for (const object of objects) known.set(keyOf(object.kind, object.metadata.namespace, object.metadata.name), object);
          },
          delete: (refs) => {
            for (const ref of refs) known.delete(keyOf(ref.kind, ref.namespace, ref.name));
          },
        });
        cluster.apply(parse(MANIFESTS));
        for (const one of events) {
          mayFail(one, cluster);
          const [has, wants] = [presentEndpoints(cluster).sort(), expectedEndpoints(cluster).sort()];
          if (has.join() !== wants.join()) throw new Error(`endpoints ${has.join(', ')} instead of ${wants.join(', ')}`);
          const problems = workloadProblems(cluster);
          if (problems.length > 0) throw new Error(problems.join(', '));
          const heard = new Set(known.values());
          if (cluster.objects().some((object) => !heard.has(object)) || known.size !== cluster.objects().length)
            throw new Error('a consumer knows something else');
        }
      }),
      { numRuns: 60 },
    );
  });

  test('comes to rest: in the end nothing is terminating, and StatefulSets are whole again', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 15 }), (events) => {
        const cluster = createCluster();
        cluster.apply(parse(MANIFESTS));
        for (const one of events) mayFail(one, cluster);
        for (const name of ['node-1', 'node-2', 'node-3']) cluster.uncordon(name);
        for (const pod of cluster.objects('Pod')) cluster.setReady(`default/${pod.metadata.name}`, true);
        cluster.advance();
        const pods = cluster.objects('Pod');
        const replicas = numberOf(fieldsOf(cluster.objects('StatefulSet')[0]?.spec).replicas) ?? 0;
        const names = pods.map(({ metadata }) => metadata.name).filter((name) => name.startsWith('db-'));
        if (pods.some(isTerminating)) throw new Error('a Pod is terminating still');
        const wanted = Array.from({ length: replicas }, (_, ordinal) => `db-${ordinal}`);
        if (names.join() !== wanted.join()) throw new Error(`${names.join()} instead of ${wanted.join()}`);
      }),
      { numRuns: 60 },
    );
  });
});
