// ip_vs_sed, shortest expected delay: the smallest load with this connection on it; inactive ones do not count.
import { Server, Service } from "../structs.ts";
import { shortestDelay } from "./load.ts";

export function pickSed(service: Service): Server {
  return shortestDelay(service);
}
