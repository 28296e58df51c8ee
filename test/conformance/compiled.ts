// From a case of the rules and nft facts to a Program: objects, node and config as FORMAT.md maps them, compiled without an engine.
import type { Family } from '../../src/address.ts';
import { readWatchedObject } from '../../src/api/read-object.ts';
import { settleConfig } from '../../src/api/settings.ts';
import type { KubernetesObject, ObjectRef } from '../../src/api/types.ts';
import { compile } from '../../src/compile/compile.ts';
import { compileOptionsFor } from '../../src/compile/node-options.ts';
import type { ProxyMode } from '../../src/packet.ts';
import type { Program } from '../../src/program/program.ts';
import type { Endpoint, ServicePort } from '../../src/state/expected-state.ts';
import { createState } from '../../src/state/state.ts';

export interface CaseNode {
  readonly name: string;
  readonly ips: readonly string[];
}

export interface CaseConfig {
  readonly ipFamily?: Family;
  readonly podCIDRs?: readonly string[];
  readonly detectLocal?: string;
  readonly masqueradeAll?: boolean;
  readonly nodePortAddresses?: readonly string[];
  readonly localhostNodePorts?: boolean;
  readonly serviceCIDRs?: readonly string[];
  readonly nfacctCounters?: boolean;
  readonly iptablesHasRandomFully?: boolean;
  readonly conntrackTCPLiberal?: boolean;
}

/** Objects that change step by step, and the Program after each step. */
export interface CaseState {
  change(applied: Iterable<KubernetesObject>, deleted?: Iterable<ObjectRef>): void;
  program(): Program;
}

export function startCase(mode: ProxyMode, node: CaseNode, config: CaseConfig): CaseState {
  const settings = settleConfig({ mode, nodeName: node.name, nodeIPs: node.ips, ...optionsOf(config) });
  const state = createState({ nodeName: node.name, features: settings.features });
  const family = config.ipFamily ?? 'IPv4';
  return {
    change(applied, deleted = []) {
      state.apply([...applied].flatMap((object) => readWatchedObject(object) ?? []));
      state.delete(deleted);
    },
    program: () => compile(mode, state.expectedState(family), compileOptionsFor(settings, family, state.node)),
  };
}

function optionsOf(config: CaseConfig): Parameters<typeof settleConfig>[0] {
  const masquerade = { masqueradeAll: config.masqueradeAll ?? false };
  return {
    serviceCIDRs: config.serviceCIDRs ?? [],
    config: {
      ...(config.podCIDRs === undefined || config.detectLocal === 'None'
        ? {}
        : { clusterCIDR: config.podCIDRs.join(','), detectLocalMode: 'ClusterCIDR' }),
      iptables: { ...masquerade, ...(config.localhostNodePorts === undefined ? {} : { localhostNodePorts: config.localhostNodePorts }) },
      nftables: masquerade,
      ...(config.nodePortAddresses === undefined ? {} : { nodePortAddresses: config.nodePortAddresses }),
    },
    host: {
      nfacct: config.nfacctCounters ?? false,
      randomFully: config.iptablesHasRandomFully ?? false,
      tcpBeLiberal: config.conntrackTCPLiberal ?? false,
    },
  };
}

/** A ServicePort of which only the name matters. `protocol` as chain names write it: `tcp`. */
export function servicePortNamed(namespace: string, serviceName: string, portName: string, protocol: string): ServicePort {
  return {
    name: portName === '' ? `${namespace}/${serviceName}` : `${namespace}/${serviceName}:${portName}`,
    namespace,
    serviceName,
    portName,
    protocol: protocol === 'udp' ? 'UDP' : protocol === 'sctp' ? 'SCTP' : 'TCP',
    clusterIP: '172.30.0.41',
    port: 80,
    nodePort: 0,
    externalIPs: [],
    loadBalancerIPs: [],
    loadBalancerSourceRanges: [],
    healthCheckNodePort: 0,
    internalPolicyLocal: false,
    externalPolicyLocal: false,
  };
}

/** `ip:port` or `[ip]:port` as an Endpoint; names are made of the address as it is written. */
export function endpointAt(text: string): Endpoint {
  const at = text.lastIndexOf(':');
  const address = text.slice(0, Math.max(at, 0)).replace(/^\[|\]$/g, '');
  return { address, port: Number(text.slice(at + 1)), text, isLocal: false };
}
