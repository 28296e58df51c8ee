// ip_vs_fo, failover: the highest weight takes everything; the first of several.
import { isServer, isUsable, noServer, serverAt } from "../servers.ts";
import { Server, Service } from "../structs.ts";

export function pickFo(service: Service): Server {
  let best = noServer();
  for (let number: u32 = 0; number < service.serverCount; number++) {
    const server = serverAt(service, number);
    if (isUsable(server) && (!isServer(best) || server.weight > best.weight)) best = server;
  }
  return best;
}
