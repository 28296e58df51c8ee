// One case of the control plane in its own process: applies a cluster, changes it, and checks with a packet after each change.
// The case comes as JSON in the first argument; figures leave as JSON on standard output.
import { createDataplaneSync, type Dataplane, type KubernetesObject, type Packet, type Verdict } from 'svcplane';
import { readWatchedObject } from '../src/api/read-object.ts';
import { settleConfig } from '../src/api/settings.ts';
import { compile } from '../src/compile/compile.ts';
import { compileOptionsFor } from '../src/compile/node-options.ts';
import type { Engine } from '../src/engine/engine.ts';
import { nodeIpvsSysctls } from '../src/engine/ipvs-sysctls.ts';
import { createJsEngine } from '../src/engine/js/engine.ts';
import { startCoreSync } from '../src/engine/wasm/core.ts';
import { embeddedCore } from '../src/engine/wasm/embedded-core.ts';
import { WasmEngine } from '../src/engine/wasm/engine.ts';
import { createState } from '../src/state/state.ts';
import { watchCollections } from './collections.ts';

export interface ControlPlaneCase {
  readonly mode: 'iptables' | 'nftables' | 'ipvs';
  readonly family: 'IPv4' | 'IPv6';
  readonly engine: 'wasm' | 'js';
  readonly serviceCount: number;
  readonly endpointsPerService: number;
  readonly changeCount: number;
}

export interface ControlPlaneFigures {
  readonly applyMs: number;
  /** Of applyMs: what the garbage collector took. */
  readonly gcMs: number;
  /** The stages of an apply one by one, on objects and an engine of their own. */
  readonly readMs: number;
  readonly stateMs: number;
  readonly compileMs: number;
  readonly tablesMs: number;
  readonly sliceMs: readonly number[];
  readonly serviceMs: readonly number[];
  readonly bytesPerRule?: number;
  readonly bytesPerEndpoint?: number;
  readonly rssMiB: number;
}

const MIB = 1024 * 1024;
const NODE_IPS = { IPv4: '192.168.0.11', IPv6: '2001:db8::b' } as const;
const CLIENTS = { IPv4: '172.16.0.1', IPv6: '2001:db8:1::1' } as const;

class Cluster {
  readonly #case: ControlPlaneCase;

  constructor(one: ControlPlaneCase) {
    this.#case = one;
  }

  *objects(): Generator<KubernetesObject> {
    for (let number = 0; number < this.#case.serviceCount; number++) {
      yield this.service(number);
      yield this.slice(number);
    }
  }

  service(number: number): KubernetesObject {
    const { family } = this.#case;
    return {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: nameOf(number), namespace: 'bench' },
      spec: { type: 'ClusterIP', clusterIP: this.clusterIP(number), ipFamilies: [family], ports: [{ protocol: 'TCP', port: 80 }] },
    };
  }

  /** `without`: an endpoint that is not ready. */
  slice(number: number, without = -1): KubernetesObject {
    const { family, endpointsPerService } = this.#case;
    return {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${nameOf(number)}-1`, namespace: 'bench', labels: { 'kubernetes.io/service-name': nameOf(number) } },
      addressType: family,
      ports: [{ name: '', protocol: 'TCP', port: 8080 }],
      endpoints: Array.from({ length: endpointsPerService }, (_, endpoint) => ({
        addresses: [this.pod(number, endpoint)],
        conditions: { ready: endpoint !== without },
      })),
    };
  }

  clusterIP(number: number): string {
    return this.#case.family === 'IPv4' ? `10.96.${number >> 8}.${number & 255}` : `fd00:96::${(number + 1).toString(16)}`;
  }

  pod(number: number, endpoint: number): string {
    if (this.#case.family === 'IPv6') return `fd00:10:${number.toString(16)}::${(endpoint + 10).toString(16)}`;
    return `10.${128 + (number >> 8)}.${number & 255}.${endpoint + 100}`;
  }

  packet(number: number, sourcePort: number, tcpFlags: number): Packet {
    return {
      protocol: 'TCP',
      source: CLIENTS[this.#case.family],
      sourcePort,
      destination: this.clusterIP(number),
      destinationPort: 80,
      tcpFlags,
    };
  }
}

function nameOf(number: number): string {
  return `service-${String(number).padStart(6, '0')}`;
}

const SYN = 2;
const ACK = 16;
/** The source port of a connection that stands through all changes. */
const STANDING_PORT = 999;

async function measure(one: ControlPlaneCase): Promise<ControlPlaneFigures> {
  const cluster = new Cluster(one);
  const dataplane = createDataplaneSync({
    mode: one.mode,
    engine: one.engine,
    seed: 1,
    nodeName: 'bench',
    nodeIPs: [NODE_IPS[one.family]],
    now: () => 1000,
  });
  const objects = [...cluster.objects()];
  const stop = watchCollections();
  const applyMs = timed(() => dataplane.apply(objects));
  const { elapsedMs: gcMs } = await stop();
  const sliceMs = changeSlices(one, cluster, dataplane);
  const serviceMs = changeServices(one, cluster, dataplane);
  const { memory, endpoints } = dataplane.counters();
  return {
    applyMs,
    gcMs,
    ...measureStages(one, objects),
    sliceMs,
    serviceMs,
    // In IPVS mode the tables hold virtual services, and a dozen rules beside them.
    ...(memory === undefined || one.mode === 'ipvs' ? {} : { bytesPerRule: memory.tables / memory.rules }),
    ...(memory === undefined ? {} : { bytesPerEndpoint: memory.tables / endpoints }),
    rssMiB: process.memoryUsage().rss / MIB,
  };
}

/** The handshake of one connection to the first Service. */
function openConnection(cluster: Cluster, dataplane: Dataplane): Verdict {
  const opened = dataplane.process(cluster.packet(0, STANDING_PORT, SYN));
  const { source, sourcePort, destination, destinationPort } = opened.translated;
  dataplane.process({
    protocol: 'TCP',
    source: destination,
    sourcePort: destinationPort,
    destination: source,
    destinationPort: sourcePort,
    tcpFlags: SYN | ACK,
  });
  return dataplane.process(cluster.packet(0, STANDING_PORT, ACK));
}

/** An endpoint of one Service after the other goes, then comes back; a connection that stands must stay as it is. */
function changeSlices(
  { serviceCount, endpointsPerService, changeCount }: ControlPlaneCase,
  cluster: Cluster,
  dataplane: Dataplane,
): number[] {
  const standing = openConnection(cluster, dataplane);
  const times: number[] = [];
  for (let change = 0; change < changeCount; change++) {
    const number = ((change >> 1) * 331) % serviceCount;
    const without = change % 2 === 0 ? change % endpointsPerService : -1;
    const slice = cluster.slice(number, without);
    const packet = cluster.packet(number, 1000 + change, SYN);
    let backend: string | undefined;
    times.push(
      timed(() => {
        dataplane.apply([slice]);
        backend = dataplane.process(packet).backend?.address;
      }),
    );
    const gone = without < 0 ? undefined : cluster.pod(number, without);
    if (backend === undefined || backend === gone) throw new Error(`after change ${change} a packet went to ${backend}`);
    const known = dataplane.process(cluster.packet(0, STANDING_PORT, ACK));
    if (known.connection !== 'ESTABLISHED' || known.backend?.address !== standing.backend?.address)
      throw new Error('a connection was touched');
  }
  return times;
}

function changeServices({ serviceCount, changeCount }: ControlPlaneCase, cluster: Cluster, dataplane: Dataplane): number[] {
  const times: number[] = [];
  for (let change = 0; change < changeCount; change++) {
    const number = ((change >> 1) * 173) % serviceCount;
    const service = cluster.service(number);
    const packet = cluster.packet(number, 20_000 + change, SYN);
    let action = '';
    times.push(
      timed(() => {
        if (change % 2 === 0) dataplane.delete([{ kind: 'Service', namespace: 'bench', name: nameOf(number) }]);
        else dataplane.apply([service]);
        action = dataplane.process(packet).action;
      }),
    );
    if ((action === 'DNAT') !== (change % 2 === 1)) throw new Error(`after change ${change} of a Service a packet was ${action}`);
  }
  return times;
}

type Stages = Pick<ControlPlaneFigures, 'readMs' | 'stateMs' | 'compileMs' | 'tablesMs'>;

/** What an apply does, stage by stage: V8 has seen all of it once. */
function measureStages({ mode, family, engine: kind }: ControlPlaneCase, objects: readonly KubernetesObject[]): Stages {
  const settings = settleConfig({ mode, nodeName: 'bench', nodeIPs: [NODE_IPS[family]] });
  const state = createState({ nodeName: 'bench', features: settings.features });
  const { conntrackMax, timeouts, tcpLoose } = settings;
  const options = { seed: 1, conntrackMax, timeouts, tcpLoose, ipvsSysctls: nodeIpvsSysctls(mode) };
  const engine: Engine = kind === 'js' ? createJsEngine(options) : new WasmEngine(startCoreSync(embeddedCore()), options);
  const read = timedResult(() => objects.flatMap((object) => readWatchedObject(object) ?? []));
  const expected = timedResult(() => {
    state.apply(read.result);
    return state.expectedState(family);
  });
  const program = timedResult(() => compile(mode, expected.result, compileOptionsFor(settings, family)));
  const tablesMs = timed(() => engine.load(program.result));
  return { readMs: read.elapsedMs, stateMs: expected.elapsedMs, compileMs: program.elapsedMs, tablesMs };
}

function timedResult<Result>(work: () => Result): { readonly result: Result; readonly elapsedMs: number } {
  const start = performance.now();
  const result = work();
  return { result, elapsedMs: performance.now() - start };
}

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

const [argument] = process.argv.slice(2);
if (argument !== undefined) {
  const one: ControlPlaneCase = JSON.parse(argument);
  process.stdout.write(JSON.stringify(await measure(one)));
}
