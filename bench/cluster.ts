// The embedded control plane at scale: what does it cost to make 100,000 Pods of 10,000 Deployments with their Services, and what does an
// event cost afterwards, alone and with a dataplane and a DNS that follow?
import { createDataplaneSync, type KubernetesObject } from 'svcplane';
import { type Cluster, createCluster } from 'svcplane/cluster';
import { createClusterDns } from 'svcplane/dns';
import { alignColumns } from './report.ts';
import { type Summary, summarize } from './statistics.ts';

export const CLUSTER = 'cluster';

const SERVICE_COUNT = 10_000;
const SMOKE_SERVICE_COUNT = 50;
const REPLICAS = 10;
/** Of the 253 that a /24 has addresses for. */
const PODS_PER_NODE = 220;
const EVENT_COUNT = 200;
const SMOKE_EVENT_COUNT = 10;

export interface ClusterFigures {
  readonly serviceCount: number;
  readonly nodeCount: number;
  /** Milliseconds: all manifests into an empty cluster. */
  readonly applyMs: number;
  /** Milliseconds an event, by its name. */
  readonly events: ReadonlyMap<string, Summary>;
}

/** @throws Error when an event did not reach the slices */
export async function measureCluster(isSmoke: boolean): Promise<ClusterFigures> {
  const serviceCount = isSmoke ? SMOKE_SERVICE_COUNT : SERVICE_COUNT;
  const nodeCount = Math.ceil((serviceCount * REPLICAS) / PODS_PER_NODE) + 1;
  const cluster = createCluster({ nodes: nodeCount, podCIDRs: ['10.128.0.0/9'], serviceCIDRs: ['10.64.0.0/12'] });
  const manifests = Array.from({ length: serviceCount }, (_, at) => manifestsOf(at)).flat();
  const applyMs = timed(() => cluster.apply(manifests));
  const count = isSmoke ? SMOKE_EVENT_COUNT : EVENT_COUNT;
  const events = new Map<string, Summary>();
  events.set('a Pod unready, or ready again', summarize(readiness(cluster, count)));
  events.set('a Deployment scaled', summarize(scaling(cluster, serviceCount, count)));
  using dataplane = createDataplaneSync({ mode: 'nftables', nodeName: 'node-1', seed: 1, now: () => 0 });
  const dns = await createClusterDns();
  using _rules = cluster.connect(dataplane);
  using _names = cluster.connect(dns);
  events.set('a Pod unready, with rules and names', summarize(readiness(cluster, count)));
  return { serviceCount, nodeCount, applyMs, events };
}

function manifestsOf(at: number): KubernetesObject[] {
  const metadata = { name: `app-${at}`, namespace: `ns-${at % 100}` };
  const labels = { app: metadata.name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'app' }] } };
  return [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] } },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: REPLICAS, selector: { matchLabels: labels }, template } },
  ];
}

/** Pods all over the cluster, each first unready and then ready again. */
function readiness(cluster: Cluster, count: number): number[] {
  const pods = cluster.objects('Pod');
  let heard = 0;
  const apply = (objects: Iterable<KubernetesObject>) => {
    heard = [...objects].length;
  };
  using _consumer = cluster.connect({ apply, delete: () => undefined });
  return Array.from({ length: count }, (_, event) => {
    const pod = pods[((event >> 1) * 7919) % pods.length]?.metadata;
    const elapsed = timed(() => cluster.setReady(`${pod?.namespace}/${pod?.name}`, event % 2 === 1));
    if (heard !== 2) throw new Error(`cluster: an event changed ${heard} objects instead of a Pod and its slice`);
    return elapsed;
  });
}

function scaling(cluster: Cluster, serviceCount: number, count: number): number[] {
  return Array.from({ length: count }, (_, event) => {
    const at = ((event >> 1) * 331) % serviceCount;
    return timed(() => cluster.scale(`Deployment/ns-${at % 100}/app-${at}`, REPLICAS + ((event + 1) % 2)));
  });
}

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

export function clusterLines({ serviceCount, applyMs, events }: ClusterFigures): string {
  const line = (name: string, { min, median, p95 }: Summary) =>
    JSON.stringify({ bench: `${CLUSTER}/${name}`, variant: 'js', size: serviceCount, min, median, p95, unit: 'ms' });
  const apply = { min: applyMs, median: applyMs, p95: applyMs };
  return [line('apply', apply), ...[...events].map(([name, summary]) => line(name, summary))].join('\n');
}

export function clusterText({ serviceCount, nodeCount, applyMs, events }: ClusterFigures): string {
  const ms = (value: number) => `${value.toFixed(3)} ms`;
  const rows = [...events].map(([name, { min, median, p95 }]) => [name, ms(min), ms(median), ms(p95)]);
  const pods = (serviceCount * REPLICAS).toLocaleString('en-US');
  return [
    `Embedded control plane: ${serviceCount.toLocaleString('en-US')} Services and Deployments, ${pods} Pods on ${nodeCount} nodes. What does an event cost?\n`,
    `${alignColumns([['', 'min', 'median', 'p95'], ...rows], new Set([0]))}\n`,
    `Reading: all of it from manifests takes ${(applyMs / 1000).toFixed(1)} s; an event costs what it changes.\n`,
  ].join('\n');
}
