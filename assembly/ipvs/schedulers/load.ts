// How loaded a server is, and the least loaded of a list: what lc, wlc, sed, nq, lblc, lblcr and twos compare. Exact in 64 bits.
import { isServer, isUsable, noServer, serverAt } from "../servers.ts";
import { Server, Service } from "../structs.ts";

/** ip_vs_dest_conn_overhead: an active connection weighs as much as 257 inactive ones. */
export function connectionLoad(server: Server): u64 {
  return ((<u64>server.active) << 8) + <u64>server.total;
}

/** The load it would have with one more active connection (sed, nq). */
function expectedLoad(server: Server): u64 {
  return <u64>server.active + 1;
}

/** `server` carries less load for its weight than `best` does. */
export function isLessLoaded(server: Server, best: Server): bool {
  return connectionLoad(best) * <u64>server.weight > connectionLoad(server) * <u64>best.weight;
}

/** The usable server with the smallest load for its weight; the first of several. */
export function leastLoaded(service: Service): Server {
  let best = noServer();
  for (let number: u32 = 0; number < service.serverCount; number++) {
    const server = serverAt(service, number);
    if (isUsable(server) && (!isServer(best) || isLessLoaded(server, best))) best = server;
  }
  return best;
}

/** The same by expected load. */
export function shortestDelay(service: Service): Server {
  let best = noServer();
  for (let number: u32 = 0; number < service.serverCount; number++) {
    const server = serverAt(service, number);
    if (!isUsable(server)) continue;
    if (!isServer(best) || expectedLoad(best) * <u64>server.weight > expectedLoad(server) * <u64>best.weight) best = server;
  }
  return best;
}
