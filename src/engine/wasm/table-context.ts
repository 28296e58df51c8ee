// What the tables of both families have in common, and what outlives a Program.
import type { NodeIpvs } from './node-ipvs.ts';

/** What outlives a Program: numbers of names, and lists of sources. */
export interface TableContext {
  servicePortId(name: string): number;
  /** Of the node: both families have the same one. */
  readonly ipvs: NodeIpvs;
  /** The address of an xt_recent list, made at its first use. */
  recentList(name: string): number;
  /** The number of a dynamic set. */
  sightingSet(name: string, timeoutSeconds: number): number;
  /** No rule names that list or dynamic set any more: its sightings go with it. */
  forgetList(name: string): void;
}
