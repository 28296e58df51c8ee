// The Program: all that an engine knows. One for each address family; plain readonly data that survives JSON.
import type { Family } from '../address.ts';
import type { Table } from './ruleset.ts';
import type { NamedSet, VerdictMap } from './sets.ts';
import type { IpvsSettings, VirtualService } from './virtual-service.ts';

export interface Program {
  readonly family: Family;
  readonly tables: readonly Table[];
  readonly sets: readonly NamedSet[];
  readonly maps: readonly VerdictMap[];
  /** IPVS mode only; empty otherwise. */
  readonly virtualServices: readonly VirtualService[];
  /** IPVS mode only. */
  readonly ipvs?: IpvsSettings;
  /**
   * Addresses and prefixes that are LOCAL on this node (fib type local): its interfaces' addresses, loopback, and in IPVS mode
   * those bound to kube-ipvs0. A packet to one of them takes INPUT, any other one FORWARD.
   */
  readonly localAddresses: readonly string[];
  /** The address that MASQUERADE writes; absent: a packet that needs one is dropped and counted. */
  readonly masqueradeAddress?: string;
}

/** A Program that knows nothing: what a family runs before its first one. */
export function emptyProgram(family: Family): Program {
  return { family, tables: [], sets: [], maps: [], virtualServices: [], localAddresses: [] };
}
