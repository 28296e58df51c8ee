// `--node`: the Node that is meant.
import type { KubernetesObject } from '../api/types.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { InputError } from './io.ts';

/** The Node of that name, or the first one. */
export function findNode(cluster: Cluster, name: string | undefined): KubernetesObject {
  const nodes = cluster.objects('Node');
  const node = name === undefined ? nodes[0] : nodes.find((each) => each.metadata.name === name);
  if (node !== undefined) return node;
  throw new InputError(`node ${name ?? ''} does not exist; there are ${nodes.map((each) => each.metadata.name).join(', ')}`);
}
