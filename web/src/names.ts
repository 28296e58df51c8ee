// Addresses → the Pods and Nodes that have them, and a colour for each backend that stays the same in all views.
import type { Backend, Outcome } from 'svcplane';
import type { Cluster } from 'svcplane/cluster';
import { formatEndpoint } from '../../src/address.ts';
import { nodeAddresses } from '../../src/cluster/nodes.ts';
import { podIPs, podNode } from '../../src/cluster/pods.ts';

export interface Owner {
  readonly pod?: string;
  readonly node: string;
}

const COLOURS = 8;

export class Namer {
  readonly #owners = new Map<string, Owner>();
  readonly #colours = new Map<string, number>();

  constructor(cluster: Cluster | undefined) {
    for (const node of cluster?.objects('Node') ?? []) {
      for (const address of nodeAddresses(node)) this.#owners.set(address, { node: node.metadata.name });
    }
    for (const pod of cluster?.objects('Pod') ?? []) {
      for (const address of podIPs(pod)) {
        if (this.#owners.has(address)) continue;
        this.#owners.set(address, { pod: pod.metadata.name, node: podNode(pod) });
        this.#colours.set(address, this.#colours.size % COLOURS);
      }
    }
  }

  owner(address: string): Owner | undefined {
    return this.#owners.get(address);
  }

  /** The class of a backend's colour. */
  colour(endpoint: string): string {
    const number = this.#colours.get(endpoint.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''));
    return number === undefined ? 'colour-none' : `colour-${number}`;
  }
}

/** `10.244.1.2:8080`, or the action where there is no backend. */
export function outcomeName({ action, backend }: { readonly action: Outcome['action']; readonly backend?: Backend }): string {
  return backend === undefined ? action : formatEndpoint(backend.address, backend.port);
}

export function percentText(probability: number): string {
  const value = probability * 100;
  return `${Math.abs(value - Math.round(value)) < 0.05 ? Math.round(value) : value.toFixed(1)}%`;
}
