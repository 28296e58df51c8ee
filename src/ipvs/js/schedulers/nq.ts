// ip_vs_nq, never queue: the first idle server, and when none is idle the one of sed.
import type { Scheduler, ServiceView } from '../scheduler.ts';
import { isUsable } from '../server.ts';
import { expectedLoad, leastLoaded } from './load.ts';

export function bindNq(service: ServiceView): Scheduler {
  return {
    pick: () => service.servers.find((server) => isUsable(server) && server.active === 0) ?? leastLoaded(service.servers, expectedLoad),
  };
}
