// ip_vs_twos, the power of two choices: two servers drawn by weight, and the less loaded of them.
import { drawRandom } from "../namespace.ts";
import { isServer, isUsable, noServer, serverAt } from "../servers.ts";
import { Namespace, Server, Service } from "../structs.ts";
import { isLessLoaded } from "./load.ts";

const HIGHEST_TOTAL: u64 = 0xfffffffe;

export function pickTwos(namespace: Namespace, service: Service): Server {
  let total: u64 = 0;
  for (let number: u32 = 0; number < service.serverCount; number++) {
    const server = serverAt(service, number);
    if (isUsable(server)) total += server.weight;
  }
  if (total == 0) return noServer();
  if (total > HIGHEST_TOTAL) total = HIGHEST_TOTAL;
  const firstTarget = drawUpTo(namespace, total);
  const secondTarget = drawUpTo(namespace, total);
  const first = serverReaching(service, firstTarget);
  const second = serverReaching(service, secondTarget);
  return isServer(second) && isLessLoaded(second, first) ? second : first;
}

/** 0 to `highest`, inclusive: the front server has one chance more than its weight. */
function drawUpTo(namespace: Namespace, highest: u64): u64 {
  return (<u64>drawRandom(namespace) * (highest + 1)) >> 32;
}

/** The first usable server where the running sum of weights reaches `target`. */
function serverReaching(service: Service, target: u64): Server {
  let sum: u64 = 0;
  for (let number: u32 = 0; number < service.serverCount; number++) {
    const server = serverAt(service, number);
    if (!isUsable(server)) continue;
    sum += server.weight;
    if (sum >= target) return server;
  }
  return noServer();
}
