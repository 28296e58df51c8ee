// ip_vs_rr, round robin: the next usable server after the last one taken.
import { isUsable, noServer, serverAt } from "../servers.ts";
import { Server, Service } from "../structs.ts";

export function bindRr(service: Service): void {
  service.position = 0;
}

export function pickRr(service: Service): Server {
  const count = service.serverCount;
  let number = service.position; // the one after the last one
  for (let step: u32 = 0; step < count; step++) {
    if (number >= count) number = 0;
    const server = serverAt(service, number++);
    if (!isUsable(server)) continue;
    service.position = number;
    return server;
  }
  return noServer();
}

/** The position stays at its server, which the new one moved on by one. */
export function serverAddedRr(service: Service): void {
  if (service.position != 0) service.position++;
}

/** The position of a removed server goes to the one before it. */
export function serverRemovedRr(service: Service, number: u32): void {
  if (number < service.position) service.position--;
}
