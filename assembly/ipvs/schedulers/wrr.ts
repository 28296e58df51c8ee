// ip_vs_wrr, weighted round robin: rounds at falling levels, each giving one visit to the servers of at least that weight.
import { isOver, noServer, serverAt } from "../servers.ts";
import { Server, Service } from "../structs.ts";

export function bindWrr(service: Service): void {
  rewind(service);
  service.level = service.topLevel;
}

/** The level outlives a change of the servers, which is why the first round of a service does not begin at the top. */
export function serversChangedWrr(service: Service): void {
  rewind(service);
  const gcd: i32 = service.gcd;
  if (service.level > service.topLevel || service.level == 0) service.level = service.topLevel;
  else if (gcd > 1) service.level = (service.level / gcd) * gcd + 1;
}

/** To before the front, with what the levels are made of. */
function rewind(service: Service): void {
  let gcd: u32 = 0;
  let highest: u32 = 0;
  for (let number: u32 = 0; number < service.serverCount; number++) {
    const weight = serverAt(service, number).weight;
    gcd = greatestCommonDivisor(gcd, weight);
    if (weight > highest) highest = weight;
  }
  service.position = 0;
  service.gcd = gcd == 0 ? 1 : gcd;
  service.topLevel = <i32>(highest - (service.gcd - 1));
}

export function pickWrr(service: Service): Server {
  if (service.topLevel == 0) return noServer();
  const start = service.position;
  const gcd: i32 = service.gcd;
  let hasRestarted = false;
  let isLastPass = false;
  while (true) {
    let highest: i32 = 0; // of those that this pass looked at and that are not over
    for (let number = service.position; number < service.serverCount; number++) {
      const server = serverAt(service, number);
      if (!isOver(server)) {
        const weight = <i32>server.weight;
        if (weight >= service.level) {
          service.position = number + 1;
          return server;
        }
        if (weight > highest) highest = weight;
      }
      if (isLastPass && hasRestarted && number + 1 == start) {
        service.position = start;
        return noServer();
      }
    }
    const isFullPass = service.position == 0;
    service.position = 0;
    if (isFullPass) service.level = levelBeforeNext(service.level, highest == 0 ? 1 : highest, gcd);
    service.level -= gcd;
    if (service.level <= 0) {
      service.level = service.topLevel;
      if (isLastPass || start == 0) return noServer();
      hasRestarted = true;
    }
    isLastPass = service.level <= gcd;
  }
}

/** After a round without a server: the last level before one that serves weight `highest`, or before the last one of all. */
function levelBeforeNext(level: i32, highest: i32, gcd: i32): i32 {
  return level > highest ? level - ((level - highest - 1) / gcd) * gcd : level;
}

/** 0 is neutral. */
export function greatestCommonDivisor(a: u32, b: u32): u32 {
  while (b != 0) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}
