// IPVS mode: the fixed ruleset, its ipsets, and one virtual service for each address that a ServicePort answers on.
import type { Family } from '../address.ts';
import { type Joined, joinProgram } from '../program/joined.ts';
import type { Program } from '../program/program.ts';
import type { Rule, Table } from '../program/ruleset.ts';
import { keepSame } from '../program/same-data.ts';
import type { ElementKey } from '../program/sets.ts';
import type { VirtualService } from '../program/virtual-service.ts';
import type { Endpoint, ExpectedState, ServicePortState } from '../state/expected-state.ts';
import { ipvsTables, outFilterRules } from './ipvs-rules.ts';
import { type IpvsSetKind, IpvsSets, ipvsElements, type SetFacts } from './ipvs-sets.ts';
import { localAddresses } from './node-addresses.ts';
import { isLoopback, nodePortAddresses } from './node-port-addresses.ts';
import type { CompileOptions } from './options.ts';
import { NO_ITEMS, rememberLast, ServicePortRules } from './service-port-rules.ts';

/** kube-proxy sets mh-port with mh, no flag with others. */
const SCHEDULER_FLAGS: ReadonlyMap<string, readonly string[]> = new Map([['mh', ['mh-port']]]);

/** Compiles the Program of IPVS mode for one family. */
export function createIpvsCompiler(): (state: ExpectedState, options: CompileOptions) => Program {
  const services = new ServicePortRules(compileIpvsServicePort);
  const sets = new IpvsSets((kind) => services.list((rules) => rules.elements.get(kind) ?? NO_ITEMS));
  const virtualServices = services.list((rules) => rules.virtualServices);
  const boundAddresses = services.list((rules) => rules.boundAddresses);
  const outFilter = services.list((rules) => rules.outFilter);
  let known: readonly Table[] = [];
  const tables = rememberLast(({ family, options }: IpvsContext, facts: SetFacts, outFilterParts: Joined<Rule>['parts']) => {
    const made = ipvsTables(family, facts, outFilterParts, options);
    known = made.map((table, index) => ({ ...table, chains: keepSame(known[index]?.chains ?? [], table.chains) }));
    return known;
  });
  const ownAddresses = rememberLast(({ family, options }: IpvsContext) => localAddresses(family, options.nodeAddresses));

  return (state, options) => {
    const { family } = state;
    const context = services.update(state.servicePorts, { family, options, nodePortIPs: acceptingAddresses(family, options) });
    const { list, facts } = sets.filled(family);
    const masqueradeAddress = options.nodeAddresses[0];
    return joinProgram(
      {
        family,
        tables: tables(context, facts, outFilter.parts),
        maps: [],
        ipvs: options.ipvs,
        ...(masqueradeAddress === undefined ? {} : { masqueradeAddress }),
      },
      {
        sets: { head: list, parts: [], tail: [] },
        virtualServices: { head: [], parts: virtualServices.parts, tail: [] },
        localAddresses: { head: ownAddresses(context), parts: boundAddresses.parts, tail: [] },
      },
    );
  };
}

/** What one ServicePort's part is made from besides itself. */
interface IpvsContext {
  readonly family: Family;
  readonly options: CompileOptions;
  /** The addresses that accept node ports. */
  readonly nodePortIPs: readonly string[];
}

/** What one ServicePort gives to the sets, to IPVS, to kube-ipvs0 and to the filter of the node's own packets. */
interface IpvsServiceRules {
  readonly elements: ReadonlyMap<IpvsSetKind, readonly ElementKey[]>;
  readonly virtualServices: readonly VirtualService[];
  readonly boundAddresses: readonly string[];
  readonly outFilter: readonly Rule[];
}

function compileIpvsServicePort(state: ServicePortState, { options, nodePortIPs }: IpvsContext): IpvsServiceRules {
  const { servicePort } = state;
  const addresses = [servicePort.clusterIP, ...servicePort.externalIPs, ...servicePort.loadBalancerIPs];
  return {
    elements: ipvsElements(state, options, nodePortIPs),
    virtualServices: virtualServicesOf(state, nodePortIPs, options),
    boundAddresses: addresses.filter((address) => !options.nodeAddresses.includes(address)),
    outFilter: outFilterRules(servicePort, options),
  };
}

/** Node ports are virtual services of each address: never of loopback, and of an IPv6 link-local one only when it was named. */
function acceptingAddresses(family: Family, options: CompileOptions): string[] {
  const accepted = nodePortAddresses(family, options.nodePortAddresses, options);
  const candidates = accepted.matchesAll ? options.nodeAddresses.filter((address) => !/^fe[89ab]/i.test(address)) : accepted.addresses;
  return candidates.filter((address) => !isLoopback(address));
}

function virtualServicesOf(state: ServicePortState, nodePortIPs: readonly string[], options: CompileOptions): VirtualService[] {
  const { servicePort } = state;
  const virtualService = (address: string, port: number, isLocalOnly: boolean): VirtualService => ({
    protocol: servicePort.protocol,
    address,
    port,
    scheduler: options.ipvs.scheduler,
    flags: SCHEDULER_FLAGS.get(options.ipvs.scheduler) ?? NO_ITEMS,
    ...(servicePort.affinitySeconds === undefined ? {} : { persistence: { timeoutSeconds: servicePort.affinitySeconds } }),
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
