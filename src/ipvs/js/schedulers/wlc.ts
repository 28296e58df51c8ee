// ip_vs_wlc, weighted least connections, ipvsadm's default: the smallest load for its weight.
import type { Scheduler, ServiceView } from '../scheduler.ts';
import { connectionLoad, leastLoaded } from './load.ts';

export function bindWlc(service: ServiceView): Scheduler {
  return { pick: () => leastLoaded(service.servers, connectionLoad) };
}
