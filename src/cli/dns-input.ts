// Manifests → a cluster's DNS, and the Pod that asks it: what `dns query` and `dns explain` stand on.
import type { KubernetesObject } from '../api/types.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { type ClusterDns, createClusterDns } from '../dns/cluster-dns.ts';
import { openCluster } from './cluster-input.ts';
import { clusterDnsOptions, type DnsOptions } from './dns-options.ts';
import { readObjects } from './input.ts';
import { InputError, type Io, note } from './io.ts';
import { nearest } from './near-names.ts';
import type { InputOptions } from './options.ts';
import { STAND_IN } from './packet-ends.ts';

export interface OpenDns {
  readonly cluster: Cluster;
  readonly dns: ClusterDns;
  /** namespace/name of the Pod that asks. */
  readonly pod?: string;
}

/** The DNS of the manifests' cluster. `from`: `[namespace/]pod`, where default/client need not exist. */
export async function openClusterDns(options: InputOptions & DnsOptions & { readonly from?: string }, io: Io): Promise<OpenDns> {
  const cluster = openCluster(readObjects(options, io), options, io);
  const dns = await createClusterDns(clusterDnsOptions(options));
  cluster.connect(dns);
  const { from } = options;
  if (from === undefined) return { cluster, dns };
  const pod = from.includes('/') ? from : `${options.namespace ?? 'default'}/${from}`;
  const pods = cluster.objects('Pod').map((each) => `${each.metadata.namespace}/${each.metadata.name}`);
  if (!pods.includes(pod)) {
    if (pod !== STAND_IN)
      throw new InputError(`pod ${pod} does not exist${nearest(pod, pods)}; --from also takes ${STAND_IN} for a stand-in`);
    note(io, `${STAND_IN} is not in the manifests: a stand-in Pod with the cluster's own DNS settings`);
    dns.apply([standIn(pod)]);
  }
  return { cluster, dns, pod };
}

function standIn(pod: string): KubernetesObject {
  const [namespace = '', name = ''] = pod.split('/');
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name }, spec: {} };
}
