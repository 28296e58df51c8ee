// Clusters made for the kernel: random ones from a seed, and one that holds every combination of Service type, policy and endpoints, so
// that all that the data lacks is met: a node's own packets to addresses without endpoints, its own NodePorts, hairpin, loopback.
import fc from 'fast-check';
import type { Family } from '../../src/address.ts';
import type { KubernetesObject } from '../../src/api/types.ts';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Dataplane } from '../../src/dataplane-types.ts';
import type { ProxyMode } from '../../src/packet.ts';
import { type AddressPlan, frontendsOf, NODE, objectsOf, PLANS, type RandomService, randomService } from '../differential/clusters.ts';
import type { Probe } from './probe.ts';

/** What the node is told besides its Services. */
export interface NodeConfig {
  readonly detectLocal: 'ClusterCIDR' | 'InterfaceNamePrefix' | 'BridgeInterface' | 'none';
  readonly masqueradeAll: boolean;
  readonly localhostNodePorts: boolean;
  readonly nodePortAddresses: 'default' | 'primary' | 'first' | 'all';
  readonly randomFully: boolean;
  readonly knowsServiceCIDR: boolean;
}

export const PLAIN: NodeConfig = {
  detectLocal: 'ClusterCIDR',
  masqueradeAll: false,
  localhostNodePorts: true,
  nodePortAddresses: 'default',
  randomFully: true,
  knowsServiceCIDR: false,
};

/** Configurations that the matrix runs under besides the plain one. */
export const OTHER_CONFIGS: readonly NodeConfig[] = [
  { ...PLAIN, detectLocal: 'InterfaceNamePrefix', randomFully: false },
  { ...PLAIN, detectLocal: 'BridgeInterface', nodePortAddresses: 'all' },
  { ...PLAIN, detectLocal: 'none', localhostNodePorts: false, knowsServiceCIDR: true },
  { ...PLAIN, masqueradeAll: true, nodePortAddresses: 'first' },
];

export interface KernelCluster {
  readonly services: readonly RandomService[];
  readonly config: NodeConfig;
}

const config: fc.Arbitrary<NodeConfig> = fc.record({
  detectLocal: fc.constantFrom('ClusterCIDR', 'ClusterCIDR', 'InterfaceNamePrefix', 'BridgeInterface', 'none'),
  masqueradeAll: fc.constantFrom(false, false, false, true),
  localhostNodePorts: fc.boolean(),
  nodePortAddresses: fc.constantFrom('default', 'default', 'primary', 'first', 'all'),
  randomFully: fc.boolean(),
  knowsServiceCIDR: fc.boolean(),
});

/** The same clusters for the same seed. */
export function randomClusters(seed: number, count: number): KernelCluster[] {
  const cluster = fc.record({ services: fc.array(randomService(false), { minLength: 2, maxLength: 4 }), config });
  return fc.sample(cluster, { seed, numRuns: count });
}

const ready = (pod: number, isLocal: boolean): RandomService['endpoints'][number] => ({ pod, isLocal, condition: 'ready' });

const ENDPOINTS: readonly RandomService['endpoints'][] = [
  [],
  [ready(0, true), ready(1, true), ready(2, false)],
  [ready(1, false), ready(2, false)],
  [
    { pod: 0, isLocal: true, condition: 'draining' },
    { pod: 3, isLocal: false, condition: 'not ready' },
  ],
];

/** Every combination, TCP and UDP in turn. */
export function matrix(affinity = false): RandomService[] {
  const booleans = [false, true];
  const types = ['ClusterIP', 'NodePort', 'LoadBalancer'] as const;
  const services = ENDPOINTS.flatMap((endpoints) =>
    types.flatMap((type) =>
      booleans.flatMap((internalLocal) =>
        booleans.flatMap((externalLocal) =>
          booleans.map((hasExternalIP) => ({ type, internalLocal, externalLocal, hasExternalIP, endpoints })),
        ),
      ),
    ),
  );
  return services.map((service, index) => ({
    ...service,
    affinity,
    protocol: index % 2 === 0 ? ('TCP' as const) : ('UDP' as const),
    range: service.type === 'LoadBalancer' && index % 3 === 0 ? index % 5 : -1,
  }));
}

export function clusterDataplane(mode: ProxyMode, { family, node, podCIDR }: AddressPlan, settings: NodeConfig): Dataplane {
  const masquerade = { masqueradeAll: settings.masqueradeAll };
  const loopback = family === 'IPv4' ? '127.0.0.0/8' : '::1/128';
  const bits = family === 'IPv4' ? 32 : 128;
  const addresses = { primary: ['primary'], first: [`${node[0]}/${bits}`, loopback], all: [family === 'IPv4' ? '0.0.0.0/0' : '::/0'] };
  const detection = {
    ClusterCIDR: { clusterCIDR: podCIDR },
    InterfaceNamePrefix: { detectLocalMode: 'InterfaceNamePrefix', detectLocal: { interfaceNamePrefix: 'pod' } },
    BridgeInterface: { detectLocalMode: 'BridgeInterface', detectLocal: { bridgeInterface: 'pod0' } },
    none: {},
  }[settings.detectLocal];
  return createDataplaneSync({
    mode,
    engine: 'js',
    nodeName: NODE,
    nodeIPs: node,
    serviceCIDRs: settings.knowsServiceCIDR ? [family === 'IPv4' ? '172.30.0.0/16' : 'fd00:10:96::/112'] : [],
    host: { randomFully: settings.randomFully },
    config: {
      ...detection,
      iptables: { ...masquerade, localhostNodePorts: settings.localhostNodePorts },
      nftables: masquerade,
      ...(settings.nodePortAddresses === 'default' ? {} : { nodePortAddresses: addresses[settings.nodePortAddresses] }),
    },
  });
}

export function clusterObjects(services: readonly RandomService[], family: Family): KubernetesObject[] {
  return services.flatMap((service, index) => objectsOf(index, service, PLANS[family]));
}

/** Every client against every address that a Service answers on, and a port that it does not. */
export function clusterProbes(services: readonly RandomService[], family: Family): Probe[] {
  const plan = PLANS[family];
  const clients = [plan.pod(0), plan.pod(1), plan.pod(50), ...plan.node, ...plan.outside, plan.externalIP(100)];
  return services.flatMap((service, index) => {
    const { protocol } = service;
    const unknownPorts = [
      { address: plan.clusterIP(index), port: 81 },
      ...(index === 0
        ? [
            { address: plan.clusterIP(200), port: 80 },
            { address: plan.node[0] ?? '', port: 29_999 },
          ]
        : []),
    ];
    return [...frontendsOf(index, service, plan), ...unknownPorts].flatMap(({ address, port }) =>
      clients
        .filter((source) => isSendable(source, address))
        .map((source) => ({ title: `svc${index}`, protocol, source, destination: address, port })),
    );
  });
}

/** Loopback addresses do not leave their machine: no route takes such packets, whatever the rules say. */
function isSendable(source: string, destination: string): boolean {
  const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');
  const isNode = (address: string): boolean => isLoopback(address) || Object.values(PLANS).some(({ node }) => node.includes(address));
  if (isLoopback(source)) return isLoopback(destination);
  return !isLoopback(destination) || isNode(source);
}
