// `svcplane demo`, which `npm start` runs: the main job from manifests to backends, shown section by section.
import type { Command } from 'commander';
import type { KubernetesObject } from '../api/types.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { UnsupportedError } from '../errors.ts';
import { createDataplaneSync } from '../index.ts';
import type { Packet, ProxyMode } from '../packet.ts';
import { findNode, openCluster, openDataplane, SEED } from './cluster-input.ts';
import { chooseService, readyEndpoints, scaleForShow } from './demo-service.ts';
import { endpointsObjects } from './endpoints-view.ts';
import { duel } from './engine-duel.ts';
import { formatObjects } from './get.ts';
import { readObjects } from './input.ts';
import { type Io, type Paint, paintFor } from './io.ts';
import { type InputOptions, parsePositive, withInputOptions } from './options.ts';
import { packageFile } from './package-files.ts';
import { type Destination, resolveDestination, resolveSource } from './packet-ends.ts';
import { percent } from './rule-words.ts';
import { syntheticServices } from './synthetic-services.ts';
import { formatTable } from './table.ts';
import { addressOwners, explain } from './trace.ts';

const EXAMPLE = 'examples/hostnames.yaml';
const CONNECTIONS_SHOWN = 12;
const SERVICE_COUNTS = [10, 1000, 10_000];
const MODES: readonly ProxyMode[] = ['iptables', 'ipvs', 'nftables'];
const DUEL_SECONDS = 2;

interface DemoOptions extends InputOptions {
  readonly seconds: number;
}

/** What all sections look at. */
interface Scene {
  readonly io: Io;
  readonly paint: Paint;
  readonly options: DemoOptions;
  readonly cluster: Cluster;
  readonly node: KubernetesObject;
  readonly service: KubernetesObject;
  readonly destination: Destination;
  /** The first packet of the client's first connection. */
  readonly packet: Packet;
}

export function addDemo(program: Command, io: Io): void {
  const command = program.command('demo').description(`show what it does, on ${EXAMPLE} or on your manifests`);
  withInputOptions(command)
    .option('--seconds <number>', 'how long the engines are compared', parsePositive, DUEL_SECONDS)
    .action((options: DemoOptions) => demo(options, io));
}

function demo(given: DemoOptions, io: Io): void {
  const options = given.filename === undefined ? { ...given, filename: [packageFile(EXAMPLE)] } : given;
  const cluster = openCluster(readObjects(options, io), options, io);
  const service = chooseService(cluster);
  const scaled = scaleForShow(cluster, service);
  const { name, namespace = 'default' } = service.metadata;
  const context = { cluster, namespace, node: undefined };
  const destination = resolveDestination(`${name}.${namespace}`, undefined, context);
  if ('reason' in destination) return;
  const source = resolveSource('default/client', destination.address, {
    ...context,
    node: findNode(cluster, undefined).metadata.name,
  });
  const packet: Packet = {
    protocol: destination.protocol,
    source: source.address,
    sourcePort: source.port,
    destination: destination.address,
    destinationPort: destination.port,
  };
  const scene: Scene = { io, paint: paintFor(io), options, cluster, node: source.node, service, destination, packet };
  if (scaled !== undefined)
    io.stdout(`Deployment ${scaled} has one replica: scaled to 3 here, so that there is something to choose from.\n`);
  for (const line of source.notes) io.stdout(`${line}.\n`);
  showEndpoints(scene);
  showPacket(scene);
  showConnections(scene);
  showUnready(scene);
  showRuleCounts(scene);
  showDuel(scene);
}

function title(text: string, { io, paint }: Scene): void {
  io.stdout(`\n${paint.bold(`== ${text} ==`)}\n\n`);
}

function showEndpoints(scene: Scene): void {
  title('Endpoints, as the control plane makes them of the manifests', scene);
  const { cluster, io } = scene;
  io.stdout(formatObjects(endpointsObjects(cluster), 'Endpoints', {}, io.now()));
}

function showPacket(scene: Scene): void {
  const { cluster, node, packet, destination, options, io } = scene;
  title('One packet, explained', scene);
  using connected = openDataplane(cluster, node, { ...options, mode: 'iptables' }, io);
  const { dataplane } = connected;
  io.stdout(explain(dataplane, cluster, node, packet, destination, { isVerbose: false, io }));
}

function showConnections(scene: Scene): void {
  const { cluster, node, options, io, packet, paint } = scene;
  title(`${CONNECTIONS_SHOWN} connections, each from a new port`, scene);
  const owners = addressOwners(cluster);
  const backendsIn = (mode: ProxyMode) => {
    using connected = openDataplane(cluster, node, { ...options, mode }, io);
    const { dataplane } = connected;
    return Array.from({ length: CONNECTIONS_SHOWN }, (_, index) => {
      const { backend, action } = dataplane.process({ ...packet, sourcePort: packet.sourcePort + index });
      return backend === undefined ? action : (owners.get(backend.address)?.pod ?? backend.address);
    });
  };
  const iptables = backendsIn('iptables');
  const ipvs = backendsIn('ipvs');
  const rows = iptables.map((pod, index) => [String(packet.sourcePort + index), pod, ipvs[index] ?? '']);
  io.stdout(formatTable(['FROM PORT', 'IPTABLES (random)', 'IPVS (round robin)'], rows));
  io.stdout(paint.dim(`seed ${SEED}: the same every time\n`));
}

function showUnready(scene: Scene): void {
  const { cluster, service, node, options, io, packet, paint } = scene;
  const endpoints = readyEndpoints(cluster, service);
  const victim = endpoints.find(
    ({ pod }) => pod !== '' && cluster.objects('Pod').some((each) => `${each.metadata.namespace}/${each.metadata.name}` === pod),
  );
  title('One Pod fails its readiness probe', scene);
  if (victim === undefined) {
    io.stdout('The endpoints of this Service are no Pods of these manifests: nothing to make unready.\n');
    return;
  }
  using connected = openDataplane(cluster, node, { ...options, mode: 'iptables' }, io);
  const { dataplane } = connected;
  cluster.setReady(victim.pod, false);
  const isGone = !readyEndpoints(cluster, service).some(({ address }) => address === victim.address);
  const fate = isGone
    ? `${victim.address} is gone from the endpoints`
    : `${victim.address} stays: its EndpointSlice was given, and given objects win`;
  io.stdout(`${paint.yellow(`${victim.pod} is not ready`)}: ${fate}.\n\n`);
  const own = endpointsObjects(cluster).filter(
    ({ metadata }) => metadata.name === service.metadata.name && metadata.namespace === service.metadata.namespace,
  );
  io.stdout(formatObjects(own, 'Endpoints', {}, io.now()));
  const chances = dataplane
    .explain(packet)
    .outcomes.map(({ backend, action, probability }) => `${backend?.address ?? action} ${percent(probability)}`);
  io.stdout(`\nThe next connection goes to: ${chances.join(', ')}\n`);
  cluster.setReady(victim.pod, true);
}

function showRuleCounts(scene: Scene): void {
  const { io, paint } = scene;
  title('Rules that the kernel looks at for the first packet to the last of so many Services', scene);
  const modes = MODES.filter(isSupported);
  const rows = SERVICE_COUNTS.map((count) => {
    const { objects, lastClusterIP, port } = syntheticServices(count);
    const counts = modes.map((mode) => {
      using dataplane = createDataplaneSync({ mode, nodeIPs: ['192.168.0.11'], config: { clusterCIDR: '10.244.0.0/16' }, seed: SEED });
      dataplane.apply(objects);
      const packet = {
        protocol: 'TCP',
        source: '10.244.255.10',
        sourcePort: 40000,
        destination: lastClusterIP,
        destinationPort: port,
      } as const;
      return dataplane.process(packet).rulesEvaluated.toLocaleString('en-US');
    });
    return [count.toLocaleString('en-US'), ...counts];
  });
  io.stdout(formatTable(['SERVICES', ...modes.map((mode) => mode.toUpperCase())], rows));
  io.stdout(paint.dim('iptables asks one Service after the other; IPVS and nftables look the address up in a hash table.\n'));
}

/** Modes that are still to come say so when they are asked for. */
function isSupported(mode: ProxyMode): boolean {
  try {
    createDataplaneSync({ mode })[Symbol.dispose]();
    return true;
  } catch (error) {
    if (error instanceof UnsupportedError) return false;
    throw error;
  }
}

function showDuel(scene: Scene): void {
  const { cluster, node, io, packet, paint, options } = scene;
  title(`${options.seconds} seconds of WebAssembly against TypeScript`, scene);
  using wasm = openDataplane(cluster, node, { ...options, mode: 'iptables', engine: 'wasm' }, io);
  using js = openDataplane(cluster, node, { ...options, mode: 'iptables', engine: 'js' }, io);
  const { nsPerPacket, connections, rounds } = duel([wasm.dataplane, js.dataplane], packet, options.seconds);
  const [wasmNs = 0, jsNs = 0] = nsPerPacket;
  const row = (name: string, ns: number) => [name, ns.toFixed(1), (1000 / ns).toFixed(2)];
  io.stdout(formatTable(['ENGINE', 'NS/PACKET', 'MILLION PACKETS/S'], [row('WebAssembly', wasmNs), row('TypeScript', jsNs)]));
  io.stdout(`WebAssembly is ${paint.bold(`${(jsNs / wasmNs).toFixed(1)} times`)} as fast.\n`);
  io.stdout(
    paint.dim(
      `Later packets of ${connections} established connections, ${rounds} rounds each in turn, medians. npm run bench measures with care.\n`,
    ),
  );
}
