// Runs a packet flow of conformance/kube-proxy-flows.json: explain must give exactly the expected outcomes, and process must reach every
// listed backend and no other.
import { expect } from 'vitest';
import { formatEndpoint } from '../../src/address.ts';
import type { KubernetesObject, ObjectRef } from '../../src/api/types.ts';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Dataplane, DataplaneOptions } from '../../src/dataplane-types.ts';
import type { Packet, ProxyMode, TransportProtocol } from '../../src/packet.ts';
import { loadConformance } from './data.ts';

export interface FlowPacket {
  readonly name: string;
  readonly protocol?: TransportProtocol;
  readonly source: string;
  readonly sourcePort?: number;
  readonly destination: string;
  readonly port: number;
  readonly expect: {
    readonly verdict: 'DNAT' | 'REJECT' | 'DROP' | 'ACCEPT';
    readonly backends?: readonly string[];
    readonly masquerade?: boolean;
    readonly rule?: string;
  };
}

export interface FlowCase {
  readonly id: string;
  readonly title: string;
  readonly modes: readonly ProxyMode[];
  readonly node: {
    readonly name: string;
    readonly ips: readonly string[];
    readonly labels?: Record<string, string>;
    readonly zone?: string;
  };
  readonly config: FlowConfig;
  readonly steps: readonly {
    readonly apply?: readonly KubernetesObject[];
    readonly delete?: readonly ObjectRef[];
    readonly packets?: readonly FlowPacket[];
  }[];
}

interface FlowConfig {
  readonly podCIDRs?: readonly string[];
  readonly detectLocal?: string;
  readonly masqueradeAll?: boolean;
  readonly nodePortAddresses?: readonly string[];
  readonly localhostNodePorts?: boolean;
  readonly serviceCIDRs?: readonly string[];
  readonly featureGates?: Record<string, boolean>;
  readonly nfacctCounters?: boolean;
  readonly iptablesHasRandomFully?: boolean;
  readonly conntrackTCPLiberal?: boolean;
}

/** How FORMAT.md maps a case's config to options. */
function optionsOf(flow: FlowCase, mode: ProxyMode, engine: 'wasm' | 'js', seed: number): DataplaneOptions {
  const { config, node } = flow;
  const masquerade = config.masqueradeAll === undefined ? {} : { masqueradeAll: config.masqueradeAll };
  return {
    mode,
    engine,
    seed,
    now: () => 0,
    nodeName: node.name,
    nodeIPs: node.ips,
    serviceCIDRs: config.serviceCIDRs ?? [],
    config: {
      ...(config.podCIDRs === undefined || config.detectLocal === 'None'
        ? {}
        : { clusterCIDR: config.podCIDRs.join(','), detectLocalMode: 'ClusterCIDR' }),
      iptables: { ...masquerade, ...(config.localhostNodePorts === undefined ? {} : { localhostNodePorts: config.localhostNodePorts }) },
      nftables: masquerade,
      ...(config.nodePortAddresses === undefined ? {} : { nodePortAddresses: config.nodePortAddresses }),
      ...(config.featureGates === undefined ? {} : { featureGates: config.featureGates }),
    },
    host: {
      nfacct: config.nfacctCounters ?? false,
      randomFully: config.iptablesHasRandomFully ?? false,
      tcpBeLiberal: config.conntrackTCPLiberal ?? false,
    },
  };
}

function nodeObject({ node }: FlowCase): KubernetesObject {
  const labels = { ...node.labels, ...(node.zone === undefined ? {} : { 'topology.kubernetes.io/zone': node.zone }) };
  return { apiVersion: 'v1', kind: 'Node', metadata: { name: node.name, labels } };
}

/** A dataplane as the case configures it, without Services yet. */
export function flowDataplane(flow: FlowCase, mode: ProxyMode, engine: 'wasm' | 'js', seed: number): Dataplane {
  const dataplane = createDataplaneSync(optionsOf(flow, mode, engine, seed));
  expect(dataplane.engine).toBe(engine);
  dataplane.apply([nodeObject(flow)]);
  return dataplane;
}

export function packetOf(flow: FlowPacket, sourcePort: number): Packet {
  return {
    protocol: flow.protocol ?? 'TCP',
    source: flow.source,
    sourcePort: flow.sourcePort ?? sourcePort,
    destination: flow.destination,
    destinationPort: flow.port,
  };
}

function checkExplained(dataplane: Dataplane, flow: FlowPacket): void {
  const { outcomes } = dataplane.explain(packetOf(flow, 40000));
  const total = outcomes.reduce((sum, { probability }) => sum + probability, 0);
  expect(total, flow.name).toBeCloseTo(1, 9);
  expect([...new Set(outcomes.map(({ action }) => action))], flow.name).toEqual([flow.expect.verdict]);
  if (flow.expect.masquerade !== undefined) {
    expect([...new Set(outcomes.map(({ masquerade }) => masquerade))], flow.name).toEqual([flow.expect.masquerade]);
  }
  if (flow.expect.backends !== undefined) {
    const reached = outcomes.map(({ backend }) => (backend === undefined ? '' : formatEndpoint(backend.address, backend.port)));
    expect([...new Set(reached)].sort(), flow.name).toEqual([...flow.expect.backends].sort());
  }
  if (flow.expect.rule === 'health-check-node-port') {
    const accepts = outcomes
      .flatMap(({ path }) => path)
      .filter((step) => step.kind === 'rule' && step.text.includes('health check node port'));
    expect(accepts.length, flow.name).toBeGreaterThan(0);
  }
}

/** Chance of missing one of n equally likely backends in 40 n connections: below n * e^-40. */
const CONNECTIONS_PER_BACKEND = 40;

/** Every packet begins a connection of its own; a fixed source port is kept on fresh connection state. */
function checkProcessed(flow: FlowPacket, fresh: (seed: number) => Dataplane): void {
  const backends = flow.expect.backends ?? [];
  const reached = new Set<string>();
  const rounds = Math.max(1, backends.length * CONNECTIONS_PER_BACKEND);
  let dataplane = fresh(1);
  for (let round = 0; round < rounds; round++) {
    if (flow.sourcePort !== undefined) dataplane = fresh(round);
    const verdict = dataplane.process(packetOf(flow, 20000 + round));
    expect(verdict.action, flow.name).toBe(flow.expect.verdict);
    if (flow.expect.masquerade !== undefined) expect(verdict.masquerade, flow.name).toBe(flow.expect.masquerade);
    if (verdict.backend !== undefined) reached.add(formatEndpoint(verdict.backend.address, verdict.backend.port));
  }
  if (flow.expect.backends !== undefined) expect([...reached].sort(), flow.name).toEqual([...backends].sort());
}

/** `expected`: what another mode than those that the case names expects instead. */
export function runFlow(
  flow: FlowCase,
  mode: ProxyMode,
  engine: 'wasm' | 'js',
  expected: (packet: FlowPacket) => FlowPacket['expect'] = ({ expect }) => expect,
): void {
  const changes: ((dataplane: Dataplane) => void)[] = [];
  const fresh = (seed: number): Dataplane => {
    const dataplane = flowDataplane(flow, mode, engine, seed);
    for (const change of changes) change(dataplane);
    return dataplane;
  };
  const living = fresh(7);
  for (const step of flow.steps) {
    const change = (dataplane: Dataplane): void => {
      dataplane.apply(step.apply ?? []);
      dataplane.delete(step.delete ?? []);
    };
    change(living);
    changes.push(change);
    for (const given of step.packets ?? []) {
      const packet = { ...given, expect: expected(given) };
      checkExplained(living, packet);
      checkProcessed(packet, fresh);
    }
  }
}

export const { cases: FLOWS } = loadConformance<{ cases: readonly FlowCase[] }>('kube-proxy-flows.json');
