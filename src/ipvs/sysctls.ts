// net.ipv4.vs.*: the names the kernel knows, the defaults of a fresh namespace, and which of them the engines heed.
import { InvalidArgumentError, UnsupportedError } from '../errors.ts';
import { ENGINE_SYSCTLS, type EngineSysctl, type EngineSysctls } from './engine.ts';
import { MAX_U32 } from './references.ts';
import { wholeNumber } from './whole-number.ts';

const PREFIX = 'net.ipv4.vs.';

const ENGINE_DEFAULTS: EngineSysctls = {
  conn_reuse_mode: 1,
  conntrack: 0,
  expire_nodest_conn: 0,
  expire_quiescent_template: 0,
  lblc_expiration: 86400,
  lblcr_expiration: 86400,
  sloppy_sctp: 0,
  sloppy_tcp: 0,
};

/** They would decide about packets, but are not modelled: any value but the default is refused. */
const UNMODELLED: ReadonlyMap<string, number> = new Map([
  ['cache_bypass', 0],
  ['drop_entry', 0],
  ['drop_packet', 0],
  ['ignore_tunneled', 0],
  ['nat_icmp_send', 0],
  ['schedule_icmp', 0],
  ['secure_tcp', 0],
]);

/** They shape synchronisation, memory, estimation and routing, never the choice of a server: taken, and without effect here. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'am_droprate',
  'amemthresh',
  'backup_only',
  'pmtu_disc',
  'run_estimation',
  'snat_reroute',
  'sync_persist_mode',
  'sync_ports',
  'sync_qlen_max',
  'sync_refresh_period',
  'sync_retries',
  'sync_sock_size',
  'sync_threshold',
  'sync_version',
]);

/** Defaults, and what the options set. @throws InvalidArgumentError, UnsupportedError */
export function settleSysctls(sysctls: Readonly<Record<string, number>>): EngineSysctls {
  const settled: Record<EngineSysctl, number> = { ...ENGINE_DEFAULTS };
  for (const [name, value] of Object.entries(sysctls)) {
    const heeded = readSysctl(name, value, `sysctls[${name}]`);
    if (heeded !== undefined) settled[heeded] = value;
  }
  return settled;
}

/** The engine's name of a setting; none when the kernel knows it and it changes nothing here. @throws InvalidArgumentError, UnsupportedError */
export function readSysctl(fullName: string, value: number, path: string): EngineSysctl | undefined {
  const name = fullName.startsWith(PREFIX) ? fullName.slice(PREFIX.length) : fullName;
  const heeded = ENGINE_SYSCTLS.find((known) => known === name);
  const modelledValue = UNMODELLED.get(name);
  if (heeded === undefined && modelledValue === undefined && !WITHOUT_EFFECT.has(name)) {
    throw new InvalidArgumentError('sysctl', fullName, `is not one of ${PREFIX}*`);
  }
  wholeNumber(value, 0, MAX_U32, path);
  if (modelledValue !== undefined && value !== modelledValue) throw new UnsupportedError(`sysctl ${name} ${value} is not supported`);
  return heeded;
}
