// ip_vs_fo, failover: the highest weight takes everything; the first of several.
import type { Scheduler, ServiceView } from '../scheduler.ts';
import { isUsable, type Server } from '../server.ts';

export function bindFo(service: ServiceView): Scheduler {
  return { pick: () => heaviest(service.servers.filter(isUsable)) };
}

/** The highest weight; the first of several. */
export function heaviest(servers: readonly Server[]): Server | undefined {
  let best = servers[0];
  for (const server of servers) if (best === undefined || server.weight > best.weight) best = server;
  return best;
}
