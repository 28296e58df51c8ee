// IPVS schedulers: each picks a destination of a virtual service for a new connection, walking the list as the kernel does, newest first.

import { DESTINATION_SIZE, DESTINATION_WEIGHT, SCHEDULER_RR } from "./shared/layout.ts";
import { VirtualService } from "./structs.ts";

/** The destination for a new connection, or 0 when none is usable. */
export function schedule(service: VirtualService): usize {
  if (service.scheduler == SCHEDULER_RR) return roundRobin(service);
  return 0;
}

/** ip_vs_rr: the first usable destination after the one chosen last, going around. */
function roundRobin(service: VirtualService): usize {
  let number = service.cursor; // the number after the last one
  for (let i: u32 = 0; i < service.count; i++) {
    if (number >= service.count) number = 0;
    const destination = <usize>service.destinations + <usize>number * DESTINATION_SIZE;
    number++;
    if (load<i32>(destination, DESTINATION_WEIGHT) > 0) {
      service.cursor = number;
      return destination;
    }
  }
  return 0;
}
