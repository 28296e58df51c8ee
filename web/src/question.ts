// The words of a visitor → a packet and the node whose dataplane decides; and a dataplane to ask.
import { createDataplaneSync, type Dataplane, type KubernetesObject, type Packet, type ProxyMode, SvcplaneError } from 'svcplane';
import type { Cluster } from 'svcplane/cluster';
import { parseAddress } from '../../src/address.ts';
import { InputError, UsageError } from '../../src/cli/io.ts';
import { familyOf, resolveDestination, resolveSource } from '../../src/cli/packet-ends.ts';
import { nodeAddresses } from '../../src/cluster/nodes.ts';
import { podCIDRsOf } from '../../src/cluster/surroundings.ts';
import type { EngineChoice, PlaygroundState } from './playground-state.ts';

/** The same for everybody, so that a share link shows what its sender saw. */
export const SEED = 1;

export interface Question {
  readonly packet: Packet;
  readonly node: KubernetesObject;
  /** How a person calls the destination. */
  readonly destinationName?: string;
  readonly notes: readonly string[];
}

/** Or one sentence: why there is no packet to send. */
export function askedBy(state: Pick<PlaygroundState, 'from' | 'to' | 'protocol' | 'node'>, cluster: Cluster): Question | string {
  const context = { cluster, namespace: 'default', node: state.node === '' ? undefined : state.node };
  try {
    const protocol = state.protocol === '' ? undefined : state.protocol;
    const destination = resolveDestination(state.to.trim(), protocol, context, familyOf(state.from.trim()));
    if ('reason' in destination) return withoutFlags(`${destination.name} has no address to send a packet to: ${destination.reason}.`);
    const source = resolveSource(state.from.trim(), destination.address, context);
    if (parseAddress(source.address)?.family !== parseAddress(destination.address)?.family)
      return `${source.address} and ${destination.address} are of different families.`;
    return {
      packet: {
        protocol: destination.protocol,
        source: source.address,
        sourcePort: source.port,
        destination: destination.address,
        destinationPort: destination.port,
      },
      node: source.node,
      ...(destination.name === undefined ? {} : { destinationName: destination.name }),
      notes: source.notes.map(withoutFlags),
    };
  } catch (error) {
    if (error instanceof InputError || error instanceof UsageError || error instanceof SvcplaneError) return withoutFlags(error.message);
    throw error;
  }
}

/** The command line's `--from` is the page's From. */
function withoutFlags(text: string): string {
  return text.replace(/--(from|to|node|protocol)\b/g, (_flag, name: string) => `${name.charAt(0).toUpperCase()}${name.slice(1)}`);
}

export interface DataplaneSettings {
  readonly mode: ProxyMode;
  readonly engine: EngineChoice;
  readonly scheduler: string;
  readonly now?: () => number;
  readonly onWarning?: (message: string) => void;
}

/** A dataplane of a node, which follows the cluster until it is disposed. */
export interface ConnectedDataplane extends Disposable {
  readonly dataplane: Dataplane;
}

/** @throws SvcplaneError when it cannot run what is asked. */
export function openNode(cluster: Cluster, node: KubernetesObject, settings: DataplaneSettings): ConnectedDataplane {
  const { mode, engine, scheduler, now, onWarning } = settings;
  const dataplane = createDataplaneSync({
    mode,
    engine,
    nodeName: node.metadata.name,
    nodeIPs: nodeAddresses(node),
    serviceCIDRs: cluster.serviceCIDRs,
    config: { clusterCIDR: podCIDRsOf(cluster).join(','), ipvs: { scheduler } },
    seed: SEED,
    ...(now === undefined ? {} : { now }),
    ...(onWarning === undefined ? {} : { onWarning }),
  });
  const connection = cluster.connect(dataplane);
  return {
    dataplane,
    [Symbol.dispose]: () => {
      connection[Symbol.dispose]();
      dataplane[Symbol.dispose]();
    },
  };
}
