// net.ipv4.vs.* of a node that runs kube-proxy in IPVS mode: the kernel's defaults, what kube-proxy sets, and what somebody set instead.
import { UnsupportedError } from '../errors.ts';
import type { EngineSysctls } from '../ipvs/engine.ts';
import { settleSysctls } from '../ipvs/sysctls.ts';
import type { ProxyMode } from '../packet.ts';

const PREFIX = 'net.ipv4.vs.';

/** conn_reuse_mode stays as it is: kube-proxy sets it on kernels before 5.9 only. */
const KUBE_PROXY = { conntrack: 1, expire_nodest_conn: 1, expire_quiescent_template: 1 };

/** @param sysctls by full name; those of other prefixes play no part. @throws InvalidArgumentError, UnsupportedError */
export function nodeIpvsSysctls(mode: ProxyMode, sysctls: Readonly<Record<string, number>> = {}): EngineSysctls {
  const own = Object.entries(sysctls).flatMap(([name, value]) =>
    name.startsWith(PREFIX) ? [[name.slice(PREFIX.length), value] as const] : [],
  );
  const settled = settleSysctls({ ...KUBE_PROXY, ...Object.fromEntries(own) });
  if (mode === 'ipvs' && settled.conntrack === 0)
    throw new UnsupportedError(`sysctls[${PREFIX}conntrack] 0 is not supported in ipvs mode: kube-proxy sets 1`);
  return settled;
}
