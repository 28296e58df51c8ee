// Objects → a cluster, and a node's dataplane behind it: what trace, get, render and demo all stand on.
/// <reference lib="esnext.disposable" preserve="true" />
import type { KubernetesObject } from '../api/types.ts';
import { type Cluster, type ClusterOptions, createCluster } from '../cluster/cluster.ts';
import { nodeAddresses } from '../cluster/nodes.ts';
import { podCIDRsOf, surroundingsOf } from '../cluster/surroundings.ts';
import type { Dataplane, DataplaneOptions } from '../dataplane-types.ts';
import { createDataplaneSync } from '../index.ts';
import { findNode } from './find-node.ts';
import { readProxyConfig } from './input.ts';
import { type Io, note } from './io.ts';
import type { InputOptions, NodeOptions } from './options.ts';

export { findNode };

/** The cluster that these objects were written for, with the objects in it. */
export function openCluster(objects: readonly KubernetesObject[], options: InputOptions, io: Io): Cluster {
  const cluster = createCluster(clusterOptions(objects, options, io));
  cluster.apply(objects);
  return cluster;
}

/** Families and Service CIDRs as the options say, else as objects that come from an API server show them. */
export function clusterOptions(objects: readonly KubernetesObject[], options: InputOptions, io: Io): ClusterOptions {
  const { podCidr, serviceCidr, namespace } = options;
  const given = {
    ...(podCidr === undefined ? {} : { podCIDRs: podCidr }),
    ...(serviceCidr === undefined ? {} : { serviceCIDRs: serviceCidr }),
    ...(namespace === undefined ? {} : { namespace }),
  };
  return surroundingsOf(objects, given, (text) => note(io, text));
}

/** Of all that is left to chance, unless a person says otherwise: the same command prints the same. */
export const SEED = 1;

/** A dataplane that follows the cluster until it is disposed. */
export interface ConnectedDataplane extends Disposable {
  readonly dataplane: Dataplane;
  /** From now on the cluster's changes do not reach it. */
  disconnect(): void;
}

/** The dataplane of that Node, connected to the cluster. */
export function openDataplane(
  cluster: Cluster,
  node: KubernetesObject,
  options: NodeOptions & InputOptions,
  io: Io,
  extra: DataplaneOptions = {},
): ConnectedDataplane {
  const config = readProxyConfig(options.config);
  const clusterCIDR = config.clusterCIDR || (options.podCidr ?? podCIDRsOf(cluster)).join(',');
  const dataplane = createDataplaneSync({
    ...(options.mode === undefined ? {} : { mode: options.mode }),
    ...(options.engine === undefined ? {} : { engine: options.engine }),
    nodeName: node.metadata.name,
    nodeIPs: nodeAddresses(node),
    serviceCIDRs: cluster.serviceCIDRs,
    config: { ...config, clusterCIDR },
    seed: SEED,
    onWarning: (message) => io.stderr(`warning: ${message}\n`),
    ...extra,
  });
  const connection = cluster.connect(dataplane);
  return {
    dataplane,
    disconnect: () => connection[Symbol.dispose](),
    [Symbol.dispose]: () => {
      connection[Symbol.dispose]();
      dataplane[Symbol.dispose]();
    },
  };
}
