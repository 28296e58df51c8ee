// ip_vs_ovf, overflow: the highest weight that still has room. A server of weight w takes w + 1 active connections.
import type { Scheduler, ServiceView } from '../scheduler.ts';
import { isUsable } from '../server.ts';
import { heaviest } from './fo.ts';

export function bindOvf(service: ServiceView): Scheduler {
  return { pick: () => heaviest(service.servers.filter((server) => isUsable(server) && server.active <= server.weight)) };
}
