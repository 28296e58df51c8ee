// How loaded a server is, and the least loaded of a list: what lc, wlc, sed, nq, lblc, lblcr and twos compare.
import type { Server } from '../server.ts';
import { isUsable } from '../server.ts';

export type LoadOf = (server: Server) => number;

/** `ip_vs_dest_conn_overhead`: an active connection weighs as much as 257 inactive ones. */
export function connectionLoad({ active, total }: Server): number {
  return active * 256 + total;
}

/** The load it would have with one more active connection (sed, nq). */
export function expectedLoad({ active }: Server): number {
  return active + 1;
}

/** `server` carries less load for its weight than `best` does. */
export function isLessLoaded(server: Server, best: Server, loadOf: LoadOf): boolean {
  return isProductMore(loadOf(best), server.weight, loadOf(server), best.weight);
}

/** The usable server with the smallest load for its weight; the first of several. */
export function leastLoaded(servers: Iterable<Server>, loadOf: LoadOf): Server | undefined {
  let best: Server | undefined;
  for (const server of servers) {
    if (isUsable(server) && (best === undefined || isLessLoaded(server, best, loadOf))) best = server;
  }
  return best;
}

/** a*b > c*d, exactly: products past 2^53 occur with weights near 2^31. */
function isProductMore(a: number, b: number, c: number, d: number): boolean {
  const left = a * b;
  const right = c * d;
  if (left <= Number.MAX_SAFE_INTEGER || right <= Number.MAX_SAFE_INTEGER) return left > right;
  return BigInt(a) * BigInt(b) > BigInt(c) * BigInt(d);
}
