// ip_vs_nq, never queue: the first idle server, and when none is idle the one of sed.
import { isUsable, serverAt } from "../servers.ts";
import { Server, Service } from "../structs.ts";
import { shortestDelay } from "./load.ts";

export function pickNq(service: Service): Server {
  for (let number: u32 = 0; number < service.serverCount; number++) {
    const server = serverAt(service, number);
    if (server.active == 0 && isUsable(server)) return server;
  }
  return shortestDelay(service);
}
