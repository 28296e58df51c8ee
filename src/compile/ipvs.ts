// IPVS mode: the fixed ruleset, its ipsets, and one virtual service for each address that a ServicePort answers on.

import { UnsupportedError } from '../errors.ts';
import type { Program } from '../program/program.ts';
import type { VirtualService } from '../program/virtual-service.ts';
import type { Endpoint, ExpectedState, ServicePortState } from '../state/expected-state.ts';
import { ipvsTables } from './ipvs-rules.ts';
import { fillIpvsSets } from './ipvs-sets.ts';
import { localAddresses } from './node-addresses.ts';
import { isLoopback, nodePortAddresses } from './node-port-addresses.ts';
import type { CompileOptions } from './options.ts';

/** Schedulers that svcplane has. Any other one of the kernel's is refused by its name. */
const SCHEDULERS: ReadonlySet<string> = new Set(['rr']);

/** The Program of IPVS mode for one family. @throws UnsupportedError for a scheduler or session affinity that does not exist yet. */
export function compileIpvs(state: ExpectedState, options: CompileOptions): Program {
  if (!SCHEDULERS.has(options.ipvsScheduler)) {
    throw new UnsupportedError(
      `ipvs.scheduler ${JSON.stringify(options.ipvsScheduler)} does not exist in svcplane yet; ${[...SCHEDULERS].join(', ')} does`,
    );
  }
  const { family } = state;
  const nodePortIPs = acceptingAddresses(state, options);
  const sets = fillIpvsSets(state, options, nodePortIPs);
  const virtualServices = state.servicePorts.flatMap((servicePort) => virtualServicesOf(servicePort, nodePortIPs, options));
  const bound = [
    ...new Set(
      state.servicePorts.flatMap(({ servicePort }) => [servicePort.clusterIP, ...servicePort.externalIPs, ...servicePort.loadBalancerIPs]),
    ),
  ];
  const masqueradeAddress = options.nodeAddresses[0];
  return {
    family,
    tables: ipvsTables(state, sets, options),
    sets: sets.list(),
    maps: [],
    virtualServices,
    localAddresses: [
      ...localAddresses(family, options.nodeAddresses),
      ...bound.filter((address) => !options.nodeAddresses.includes(address)),
    ],
    ...(masqueradeAddress === undefined ? {} : { masqueradeAddress }),
  };
}

/** Node ports are virtual services of each address: loopback and IPv6 link-local ones never take part. */
function acceptingAddresses(state: ExpectedState, options: CompileOptions): string[] {
  const accepted = nodePortAddresses(state.family, options.nodePortAddresses, options);
  const candidates = accepted.matchesAll ? options.nodeAddresses : accepted.addresses;
  return candidates.filter((address) => !isLoopback(address) && !/^fe[89ab]/i.test(address));
}

function virtualServicesOf(state: ServicePortState, nodePortIPs: readonly string[], options: CompileOptions): VirtualService[] {
  const { servicePort } = state;
  if (servicePort.affinitySeconds !== undefined) {
    throw new UnsupportedError(
      `service port ${servicePort.name}: session affinity in ipvs mode (persistence) does not exist in svcplane yet`,
    );
  }
  const virtualService = (address: string, port: number, isLocalOnly: boolean): VirtualService => ({
    protocol: servicePort.protocol,
    address,
    port,
    scheduler: options.ipvsScheduler,
    flags: [],
    destinations: destinations(state, isLocalOnly).map(({ address, port }) => ({ address, port, weight: 1 })),
    servicePort: servicePort.name,
  });
  const external = [...servicePort.externalIPs, ...servicePort.loadBalancerIPs];
  const nodePorts = servicePort.nodePort === 0 ? [] : nodePortIPs;
  return [
    virtualService(servicePort.clusterIP, servicePort.port, servicePort.internalPolicyLocal),
    ...external.map((address) => virtualService(address, servicePort.port, servicePort.externalPolicyLocal)),
    ...nodePorts.map((address) => virtualService(address, servicePort.nodePort, servicePort.externalPolicyLocal)),
  ];
}

/** Policy Local without a local endpoint falls back to the cluster's: pods and the node itself still get through. */
function destinations(state: ServicePortState, isLocalOnly: boolean): readonly Endpoint[] {
  return isLocalOnly && state.localEndpoints.length > 0 ? state.localEndpoints : state.clusterEndpoints;
}
