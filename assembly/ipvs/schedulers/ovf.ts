// ip_vs_ovf, overflow: the highest weight that still has room. A server of weight w takes w + 1 active connections.
import { isServer, isUsable, noServer, serverAt } from "../servers.ts";
import { Server, Service } from "../structs.ts";

export function pickOvf(service: Service): Server {
  let best = noServer();
  for (let number: u32 = 0; number < service.serverCount; number++) {
    const server = serverAt(service, number);
    const hasRoom = isUsable(server) && server.active <= server.weight;
    if (hasRoom && (!isServer(best) || server.weight > best.weight)) best = server;
  }
  return best;
}
