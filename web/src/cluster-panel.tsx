// The cluster: its manifests, what became of them, and what may happen to its Pods.
import type { KubernetesObject, ServicePortView } from 'svcplane';
import type { Cluster } from 'svcplane/cluster';
import { formatEndpoint } from '../../src/address.ts';
import { fieldsOf, numberOf } from '../../src/cluster/fields.ts';
import { nodeAddresses } from '../../src/cluster/nodes.ts';
import { controllerOf } from '../../src/cluster/owners.ts';
import { isReady, isTerminating, podIPs, podNode } from '../../src/cluster/pods.ts';
import { ManifestEditor } from './manifest-editor.tsx';
import { type ClusterChange, manifestsOf, type PlaygroundState } from './playground-state.ts';
import type { Problem } from './world.ts';

export interface ClusterPanelProps {
  readonly state: PlaygroundState;
  readonly update: (patch: Partial<PlaygroundState>) => void;
  readonly change: (made: ClusterChange) => void;
  readonly undoChanges: () => void;
  readonly cluster: Cluster | undefined;
  readonly notes: readonly string[];
  readonly problems: readonly Problem[];
  readonly servicePorts: readonly ServicePortView[];
  readonly nodeName: string;
}

const SCALABLE = ['Deployment', 'StatefulSet', 'ReplicaSet', 'ReplicationController'];
/** A step of time that ends the usual grace period. */
const STEP_SECONDS = 30;

export function ClusterPanel(props: ClusterPanelProps) {
  const { state, update, cluster, problems, notes, servicePorts, nodeName } = props;
  return (
    <aside class="cluster" aria-label="The cluster">
      <section>
        <h2>Manifests</h2>
        <ManifestEditor
          text={manifestsOf(state)}
          problems={problems}
          onChange={(manifests) => update({ example: '', manifests, changes: [] })}
        />
        {notes.map((note) => (
          <p class="fine" key={note}>
            {note}
          </p>
        ))}
      </section>
      <section>
        <h2>
          Services <small>as {nodeName} sees them</small>
        </h2>
        <ul class="services">
          {servicePorts.map((view) => (
            <ServiceCard key={`${view.servicePort}${view.family}`} view={view} cluster={cluster} update={update} />
          ))}
        </ul>
        {servicePorts.length === 0 ? <p class="fine">None that a packet could be sent to.</p> : null}
      </section>
      {cluster === undefined ? null : <Pods {...props} cluster={cluster} />}
    </aside>
  );
}

function ServiceCard({
  view,
  cluster,
  update,
}: {
  readonly view: ServicePortView;
  readonly cluster: Cluster | undefined;
  readonly update: ClusterPanelProps['update'];
}) {
  const nodes = cluster?.objects('Node') ?? [];
  const isIPv6 = view.family === 'IPv6';
  const used = view.endpoints.filter(({ inCluster, inLocal }) => inCluster || inLocal).length;
  const frontends = view.frontends.map((frontend) => {
    const nodeAddress = nodes.flatMap(nodeAddresses).find((each) => each.includes(':') === isIPv6) ?? '';
    return { kind: frontend.kind, text: formatEndpoint(frontend.address ?? nodeAddress, frontend.port) };
  });
  return (
    <li>
      <p>
        <b>{view.servicePort}</b> <small>{view.protocol}</small>
        <small class={used === 0 ? 'bad' : 'good'}>
          {used} of {view.endpoints.length} endpoint{view.endpoints.length === 1 ? '' : 's'} in use
        </small>
      </p>
      <p class="frontends">
        {frontends.map(({ kind, text }) => (
          <button
            key={kind + text}
            type="button"
            title={`Send the packet to ${text}`}
            onClick={() => update({ to: text, protocol: view.protocol })}
          >
            {kind} <code>{text}</code>
          </button>
        ))}
      </p>
      <ul class="endpoints">
        {view.endpoints.map((endpoint) => (
          <li key={endpoint.address} class={endpoint.unusedBecause === undefined ? 'used' : 'unused'}>
            <code>{formatEndpoint(endpoint.address, endpoint.port)}</code>
            <small>{endpoint.unusedBecause ?? (endpoint.isLocal ? 'on this node' : 'on another node')}</small>
          </li>
        ))}
      </ul>
    </li>
  );
}

function Pods({ cluster, change, undoChanges, state }: ClusterPanelProps & { readonly cluster: Cluster }) {
  const pods = cluster.objects('Pod');
  const waiting = pods.filter((pod) => podNode(pod) === '');
  const workloads = SCALABLE.flatMap((kind) => cluster.objects(kind)).filter((each) => controllerOf(each) === undefined);
  return (
    <section>
      <div class="row">
        <h2>Pods</h2>
        <button
          type="button"
          disabled={!pods.some(isTerminating)}
          title="Lets the grace period of terminating Pods end"
          onClick={() => change({ kind: 'advance', seconds: STEP_SECONDS })}
        >
          {STEP_SECONDS} s later
        </button>
        <button
          type="button"
          disabled={state.changes.length === 0}
          title="Takes back what happened to Pods and nodes here"
          onClick={undoChanges}
        >
          Undo all
        </button>
      </div>
      {workloads.map((workload) => (
        <Scale key={`${workload.kind}/${workload.metadata.namespace}/${workload.metadata.name}`} workload={workload} change={change} />
      ))}
      {cluster.objects('Node').map((node) => {
        const own = pods.filter((pod) => podNode(pod) === node.metadata.name);
        const isDrained = fieldsOf(node.spec).unschedulable === true;
        return (
          <div class="node" key={node.metadata.name}>
            <p class="row">
              <b>{node.metadata.name}</b> <small>{nodeAddresses(node)[0]}</small>
              <button type="button" onClick={() => change({ kind: isDrained ? 'uncordon' : 'drain', node: node.metadata.name })}>
                {isDrained ? 'Uncordon' : 'Drain'}
              </button>
            </p>
            <PodList pods={own} change={change} />
          </div>
        );
      })}
      {waiting.length === 0 ? null : (
        <div class="node">
          <p class="row">
            <b>no node</b> <small>takes these</small>
          </p>
          <PodList pods={waiting} change={change} />
        </div>
      )}
    </section>
  );
}

function Scale({ workload, change }: { readonly workload: KubernetesObject; readonly change: ClusterPanelProps['change'] }) {
  const name = `${workload.kind}/${workload.metadata.namespace}/${workload.metadata.name}`;
  const replicas = numberOf(fieldsOf(workload.spec).replicas) ?? 1;
  const scale = (to: number) => change({ kind: 'scale', workload: name, replicas: to });
  return (
    <p class="row scale">
      <span>
        {workload.metadata.name} <small>{workload.kind}</small>
      </span>
      <button type="button" aria-label={`One ${workload.metadata.name} less`} disabled={replicas === 0} onClick={() => scale(replicas - 1)}>
        −
      </button>
      <output>{replicas}</output>
      <button type="button" aria-label={`One ${workload.metadata.name} more`} disabled={replicas >= 50} onClick={() => scale(replicas + 1)}>
        +
      </button>
    </p>
  );
}

function PodList({ pods, change }: { readonly pods: readonly KubernetesObject[]; readonly change: ClusterPanelProps['change'] }) {
  return (
    <ul>
      {pods.map((pod) => (
        <PodRow key={pod.metadata.name} pod={pod} change={change} />
      ))}
    </ul>
  );
}

function PodRow({ pod, change }: { readonly pod: KubernetesObject; readonly change: ClusterPanelProps['change'] }) {
  const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
  const ready = isReady(pod);
  return (
    <li class="row">
      <span class="pod-name" title={name}>
        {pod.metadata.name} <small>{podIPs(pod)[0]}</small>
      </span>
      {isTerminating(pod) ? (
        <small class="bad">terminating</small>
      ) : (
        <button
          type="button"
          aria-label={`end ${pod.metadata.name}: it terminates`}
          title="Deletes the Pod: it terminates"
          onClick={() => change({ kind: 'terminate', pod: name })}
        >
          end
        </button>
      )}
      <button
        type="button"
        class={ready ? 'is-ready' : 'is-unready'}
        aria-pressed={ready}
        aria-label={`${pod.metadata.name} ready`}
        onClick={() => change({ kind: 'ready', pod: name, ready: !ready })}
      >
        {ready ? 'ready' : 'not ready'}
      </button>
    </li>
  );
}
