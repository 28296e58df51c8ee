// What changes with the proxy mode and no single packet shows.
import type { ServicePortView } from '../dataplane-types.ts';
import type { ProxyMode } from '../packet.ts';
import { serviceOf } from './comparison.ts';
import type { Viewpoint } from './questions.ts';

/** Sentences for whoever switches, only those that concern these ServicePorts. */
export function modeNotes(from: ProxyMode, to: ProxyMode, views: readonly ServicePortView[], viewpoint: Viewpoint): string[] {
  if (from === to) return [];
  const count = (isMeant: (view: ServicePortView) => boolean) => {
    const services = new Set(views.filter(isMeant).map(({ servicePort }) => serviceOf(servicePort))).size;
    return services === 0 ? undefined : `${services} Service${services === 1 ? '' : 's'}`;
  };
  const sticky = count(({ affinitySeconds }) => affinitySeconds !== undefined);
  const nodePorts = count(({ frontends }) => frontends.some(({ kind }) => kind === 'NodePort'));
  const { nodeAddresses } = viewpoint;
  const hasOneAddress = nodeAddresses.filter((address) => !address.includes(':')).length <= 1;
  return [
    ...(sticky === undefined ? [] : [`${sticky} with session affinity: ${AFFINITY[from]}; ${AFFINITY[to]}. Bindings do not move along.`]),
    ...(to === 'nftables' ? ['nftables mode needs Linux 5.13 and nft 1.0.1.'] : []),
    ...(to === 'nftables' && nodePorts !== undefined && hasOneAddress
      ? [
          `${nodePorts} with NodePorts: on ${viewpoint.node} they were asked at ${nodeAddresses.join(' and ')}. On further addresses they stop answering unless nodePortAddresses names them; --node-ip tells which there are.`,
        ]
      : []),
    ...(from === 'iptables' && to === 'nftables'
      ? [
          'nftables mode accepts nothing by itself (health check node ports, marked packets in FORWARD): a host firewall that drops must let them through.',
          'nftables mode does not drop packets that conntrack takes for invalid: set conntrack.tcpBeLiberal if connections are reset.',
        ]
      : []),
  ];
}

const AFFINITY: Readonly<Record<ProxyMode, string>> = {
  iptables: 'iptables mode binds a client to the endpoint of a ServicePort, and forgets the oldest of more than 100 clients an endpoint',
  ipvs: 'ipvs mode binds a client for each address of the ServicePort by itself',
  nftables: 'nftables mode binds a client to the endpoint of a ServicePort, however many clients there are',
};
