// ip_vs_rr, round robin: the next usable server after the last one taken.
import type { Scheduler } from '../scheduler.ts';
import { isUsable } from '../server.ts';
import type { ServiceView } from '../service.ts';

const BEFORE_FRONT = -1;

export function bindRr(service: ServiceView): Scheduler {
  let position = BEFORE_FRONT;
  return {
    pick() {
      const { servers } = service;
      for (let step = 1; step <= servers.length; step++) {
        const index = (position + step) % servers.length;
        const server = servers[index];
        if (server === undefined || !isUsable(server)) continue;
        position = index;
        return server;
      }
      return undefined;
    },
    serverAdded() {
      if (position !== BEFORE_FRONT) position += 1;
    },
    serverRemoved(index) {
      if (index <= position) position -= 1;
    },
  };
}
