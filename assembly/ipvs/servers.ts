// Real servers: the list of a service, whom it may give new connections, and what a connection that comes or goes counts.
import { SERVER_FLAG_AVAILABLE, SERVER_FLAG_OVER } from "../shared/ipvs-layout.ts";
import { Server, Service } from "./structs.ts";

/** The servers of a service, newest first. */
export function serverAt(service: Service, number: u32): Server {
  return changetype<Server>(<usize>load<u32>(<usize>service.servers + ((<usize>number) << 2)));
}

/** What stands for no server. */
export function noServer(): Server {
  return changetype<Server>(0);
}

export function isServer(server: Server): bool {
  return changetype<usize>(server) != 0;
}

/** May be given new connections. */
export function isUsable(server: Server): bool {
  return server.weight != 0 && (server.flags & SERVER_FLAG_OVER) == 0;
}

export function isOver(server: Server): bool {
  return (server.flags & SERVER_FLAG_OVER) != 0;
}

/** In its service's list. A removed server is kept aside while something refers to it. */
export function isAvailable(server: Server): bool {
  return (server.flags & SERVER_FLAG_AVAILABLE) != 0;
}

/** A new connection, inactive at first. */
export function countConnection(server: Server): void {
  server.total++;
  if (server.upper != 0 && server.total == server.upper) server.flags |= SERVER_FLAG_OVER;
}

/** A connection left the table. */
export function uncountConnection(server: Server, wasActive: bool): void {
  if (wasActive) server.active--;
  const low = server.lower != 0 ? server.lower : server.upper - server.upper / 4;
  if (server.total == low) server.flags &= ~SERVER_FLAG_OVER;
  server.total--;
}
