// ip_vs_wlc, weighted least connections, ipvsadm's default: the smallest load for its weight.
import { Server, Service } from "../structs.ts";
import { leastLoaded } from "./load.ts";

export function pickWlc(service: Service): Server {
  return leastLoaded(service);
}
