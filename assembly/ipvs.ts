// IPVS: one hash lookup finds the virtual service, its scheduler the destination.

import { copyAddress } from "./address.ts";
import { destinationAddress, flight, setDestination, virtualAddress } from "./flight.ts";
import { rootOf } from "./matches.ts";
import { bindDestination } from "./ruleset.ts";
import { schedule } from "./scheduler.ts";
import { lookup } from "./sets.ts";
import {
  ACTION_DNAT,
  ACTION_NONE,
  ACTION_REJECT,
  DESTINATION_ADDRESS,
  DESTINATION_PORT,
  ROOT_VIRTUAL_SERVICES,
  SELECT_DESTINATION,
  SELECT_DESTINATION_PORT,
  SLOT_VALUE,
} from "./shared/layout.ts";
import { engine } from "./state.ts";
import { VirtualService } from "./structs.ts";

const KEY_SELECTORS: u32 = SELECT_DESTINATION | (SELECT_DESTINATION_PORT << 4);

/** ACTION_NONE: no virtual service. ACTION_REJECT: one without a usable destination. ACTION_DNAT: the packet has its destination. */
export function scheduleConnection<A>(): u32 {
  const root = rootOf<A>(engine);
  const services: usize = load<u32>(root, ROOT_VIRTUAL_SERVICES);
  if (services == 0 || flight.isDnat) return ACTION_NONE;
  const slot = lookup<A>(services, KEY_SELECTORS);
  if (slot == 0) return ACTION_NONE;
  const service = changetype<VirtualService>(<usize>load<u32>(root + <usize>load<u32>(slot, SLOT_VALUE)));
  const destination = schedule(service);
  if (destination == 0) {
    flight.servicePort = service.servicePort;
    return ACTION_REJECT;
  }
  flight.isIpvs = true;
  flight.virtualPort = flight.destinationPort;
  copyAddress<A>(virtualAddress(), destinationAddress());
  setDestination<A>(destination + DESTINATION_ADDRESS, load<u32>(destination, DESTINATION_PORT));
  bindDestination(service.servicePort);
  return ACTION_DNAT;
}
