// ip_vs_lc, least connections: the smallest load, whatever the weights; the first of several.
import type { Scheduler, ServiceView } from '../scheduler.ts';
import { isUsable, type Server } from '../server.ts';
import { connectionLoad } from './load.ts';

export function bindLc(service: ServiceView): Scheduler {
  return {
    pick() {
      let best: Server | undefined;
      for (const server of service.servers) {
        if (isUsable(server) && (best === undefined || connectionLoad(server) < connectionLoad(best))) best = server;
      }
      return best;
    },
  };
}
