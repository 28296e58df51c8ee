// ip_vs_lc, least connections: the smallest load, whatever the weights; the first of several.
import { isServer, isUsable, noServer, serverAt } from "../servers.ts";
import { Server, Service } from "../structs.ts";
import { connectionLoad } from "./load.ts";

export function pickLc(service: Service): Server {
  let best = noServer();
  for (let number: u32 = 0; number < service.serverCount; number++) {
    const server = serverAt(service, number);
    if (isUsable(server) && (!isServer(best) || connectionLoad(server) < connectionLoad(best))) best = server;
  }
  return best;
}
