// ip_vs_lblc, locality-based least connections: a destination keeps its server until that is crowded.
import { cached, isCrowded, isNode, remember } from "../destination-cache.ts";
import { isAvailable, isServer } from "../servers.ts";
import { Namespace, Server, Service } from "../structs.ts";
import { leastLoaded } from "./load.ts";

export function pickLblc(namespace: Namespace, service: Service, packet: usize): Server {
  const destination = packet + service.addressSize;
  let node = cached(namespace, service, destination);
  if (isNode(node)) {
    const known = changetype<Server>(<usize>node.server);
    // The mark `over` is not looked at here, as in the kernel.
    if (isAvailable(known) && known.weight != 0 && !isCrowded(known, service)) return known;
  }
  const server = leastLoaded(service);
  if (!isServer(server) || namespace.isForeseeing != 0) return server;
  if (!isNode(node)) node = remember(namespace, service, destination);
  server.references++;
  if (node.server != 0) changetype<Server>(<usize>node.server).references--;
  node.server = <u32>changetype<usize>(server);
  return server;
}
