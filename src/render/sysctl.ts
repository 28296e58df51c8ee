// The kernel's switches that a mode needs, as `sysctl -p` reads them.
import type { ProxyMode } from '../packet.ts';
import type { Program } from '../program/program.ts';

/** One `name = value` a line; empty when the mode changes nothing. */
export function renderSysctls(mode: ProxyMode, program: Program): string {
  const settings = mode === 'ipvs' ? ipvsSettings(program) : iptablesSettings(program);
  return settings.map(([name, value]) => `${name} = ${value}\n`).join('');
}

/** Connections to 127.0.0.1 on a node port may leave the node only with route_localnet; the chain that guards it says that it is on. */
function iptablesSettings(program: Program): (readonly [string, number])[] {
  const hasLoopbackNodePorts = program.tables.some((table) => table.chains.some((chain) => chain.name === 'KUBE-FIREWALL'));
  return hasLoopbackNodePorts ? [['net.ipv4.conf.all.route_localnet', 1]] : [];
}

function ipvsSettings(program: Program): (readonly [string, number])[] {
  if (program.family === 'IPv6') return [['net.ipv6.conf.all.forwarding', 1]];
  return [
    ['net.ipv4.ip_forward', 1],
    ['net.ipv4.vs.conntrack', 1],
    ['net.ipv4.vs.expire_nodest_conn', 1],
    ['net.ipv4.vs.expire_quiescent_template', 1],
    ...(program.ipvs?.strictARP === true ? strictARP : []),
  ];
}

const strictARP: readonly [string, number][] = [
  ['net.ipv4.conf.all.arp_ignore', 1],
  ['net.ipv4.conf.all.arp_announce', 2],
];
