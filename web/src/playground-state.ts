// Everything that a visitor chose, as one value: what the page shows follows from it, and a share link holds it.
import type { ProxyMode } from 'svcplane';
import { EXAMPLES, exampleText } from './examples.ts';

export const MODES: readonly ProxyMode[] = ['iptables', 'nftables', 'ipvs'];
export const ENGINES = ['auto', 'wasm', 'js'] as const;
export const VIEWS = ['walk', 'connections', 'modes', 'cost'] as const;
/** The kernel's names. */
export const SCHEDULERS = ['rr', 'wrr', 'lc', 'wlc', 'sh', 'dh', 'mh', 'sed', 'nq', 'lblc', 'lblcr', 'fo', 'ovf', 'twos'] as const;

export type EngineChoice = (typeof ENGINES)[number];
export type View = (typeof VIEWS)[number];

/** What happened to the cluster after its manifests were applied, in order. */
export type ClusterChange =
  | { readonly kind: 'ready'; readonly pod: string; readonly ready: boolean }
  | { readonly kind: 'terminate'; readonly pod: string }
  | { readonly kind: 'scale'; readonly workload: string; readonly replicas: number }
  | { readonly kind: 'drain'; readonly node: string }
  | { readonly kind: 'uncordon'; readonly node: string }
  | { readonly kind: 'advance'; readonly seconds: number };

export interface PlaygroundState {
  /** The name of an example; empty: `manifests` is the visitor's own. */
  readonly example: string;
  readonly manifests: string;
  readonly changes: readonly ClusterChange[];
  readonly from: string;
  readonly to: string;
  /** Empty: as the Service port says. */
  readonly protocol: string;
  /** Empty: where the packet starts. */
  readonly node: string;
  readonly mode: ProxyMode;
  readonly otherMode: ProxyMode;
  readonly engine: EngineChoice;
  readonly scheduler: string;
  readonly view: View;
}

const [first] = EXAMPLES;

export const INITIAL_STATE: PlaygroundState = {
  example: first.name,
  manifests: '',
  changes: [],
  from: first.from,
  to: first.to,
  protocol: '',
  node: '',
  mode: 'iptables',
  otherMode: 'nftables',
  engine: 'auto',
  scheduler: 'rr',
  view: 'walk',
};

export function manifestsOf({ example, manifests }: PlaygroundState): string {
  return example === '' ? manifests : exampleText(example);
}
