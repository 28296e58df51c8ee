// The schedulers by the names that the kernel's modules (ip_vs_rr, ip_vs_wrr …) register.
import type { SchedulerName } from '../keys.ts';
import type { Namespace } from './namespace.ts';
import type { BindScheduler, Scheduler, ServiceView } from './scheduler.ts';
import { bindDh } from './schedulers/dh.ts';
import { bindFo } from './schedulers/fo.ts';
import { bindLblc } from './schedulers/lblc.ts';
import { bindLblcr } from './schedulers/lblcr.ts';
import { bindLc } from './schedulers/lc.ts';
import { bindMh } from './schedulers/mh.ts';
import { bindNq } from './schedulers/nq.ts';
import { bindOvf } from './schedulers/ovf.ts';
import { bindRr } from './schedulers/rr.ts';
import { bindSed } from './schedulers/sed.ts';
import { bindSh } from './schedulers/sh.ts';
import { bindTwos } from './schedulers/twos.ts';
import { bindWlc } from './schedulers/wlc.ts';
import { bindWrr } from './schedulers/wrr.ts';

const binders: Readonly<Record<SchedulerName, BindScheduler>> = {
  rr: bindRr,
  wrr: bindWrr,
  lc: bindLc,
  wlc: bindWlc,
  lblc: bindLblc,
  lblcr: bindLblcr,
  dh: bindDh,
  sh: bindSh,
  sed: bindSed,
  nq: bindNq,
  fo: bindFo,
  ovf: bindOvf,
  mh: bindMh,
  twos: bindTwos,
};

export function bindScheduler(service: ServiceView, namespace: Namespace): Scheduler {
  return binders[service.settings.scheduler](service, namespace);
}
