// Endpoints → slices of at most 100, so that a change touches as few slices as it can: what is there stays where it is, additions go
// where something is written anyway, and nothing is ever moved to even things out.
import type { KubernetesObject } from '../api/types.ts';
import { type Fields, fieldsOf, listOf, textOf, textsOf } from './fields.ts';

/** kube-controller-manager's --max-endpoints-per-slice. */
export const ENDPOINTS_PER_SLICE = 100;

/** Endpoints that share their ports, and the slices that held them so far. */
export interface PackingGroup {
  readonly ports: readonly Fields[];
  readonly endpoints: readonly Fields[];
  readonly slices: readonly KubernetesObject[];
}

/** What one slice is to hold; without `slice`: a new one. */
export interface Packed {
  readonly slice?: KubernetesObject;
  readonly ports: readonly Fields[];
  readonly endpoints: readonly Fields[];
}

/** Packs one group. Slices that end up empty are left out. */
export function pack({ ports, endpoints, slices }: PackingGroup): Packed[] {
  const wanted = new Map(endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const kept = slices.map((slice): KeptSlice => {
    const present = listOf(slice.endpoints).map(fieldsOf);
    // Refreshed in place: the condition of an endpoint may be another now.
    const own = present.flatMap((endpoint) => take(wanted, endpointKey(endpoint)));
    return { slice, own, isWritten: withoutHints(own) !== withoutHints(present) };
  });
  const additions = [...wanted.values()];
  const written = kept.filter(({ isWritten, own }) => isWritten && own.length > 0).sort((a, b) => b.own.length - a.own.length);
  for (const { own } of written) own.push(...additions.splice(0, ENDPOINTS_PER_SLICE - own.length));
  const fresh: Packed[] = [];
  while (additions.length > 0) {
    const best = additions.length < ENDPOINTS_PER_SLICE ? fullestWithRoom(kept, additions.length) : undefined;
    if (best === undefined) fresh.push({ ports, endpoints: additions.splice(0, ENDPOINTS_PER_SLICE) });
    else best.own.push(...additions.splice(0));
  }
  const packed: Packed[] = kept.filter(({ own }) => own.length > 0).map(({ slice, own }) => ({ slice, ports, endpoints: own }));
  return [...packed, ...fresh];
}

/** What one slice goes on holding. */
interface KeptSlice {
  readonly slice: KubernetesObject;
  readonly own: Fields[];
  readonly isWritten: boolean;
}

/** Among the slices that would not be written otherwise: the one that the rest fills best. */
function fullestWithRoom(kept: readonly KeptSlice[], count: number): KeptSlice | undefined {
  const [best] = kept
    .filter(({ own, isWritten }) => !isWritten && own.length > 0 && own.length + count <= ENDPOINTS_PER_SLICE)
    .sort((a, b) => b.own.length - a.own.length);
  return best;
}

/** To compare by: hints are given when everything has its place, and move nothing. */
function withoutHints(endpoints: readonly Fields[]): string {
  return JSON.stringify(endpoints.map(({ hints: _, ...endpoint }) => endpoint));
}

function take(wanted: Map<string, Fields>, key: string): Fields[] {
  const endpoint = wanted.get(key);
  wanted.delete(key);
  return endpoint === undefined ? [] : [endpoint];
}

/** The Pod and its address: what makes an endpoint the same one. */
function endpointKey({ addresses, targetRef }: Fields): string {
  return `${textOf(fieldsOf(targetRef).name)} ${textsOf(addresses).join(',')}`;
}
