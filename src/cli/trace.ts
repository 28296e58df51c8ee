// `svcplane trace`: one packet explained: which rules decide, and which backends have which odds.
import type { Command } from 'commander';
import { parseAddress } from '../address.ts';
import type { KubernetesObject } from '../api/types.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { nodeAddresses } from '../cluster/nodes.ts';
import { podIPs, podNode } from '../cluster/pods.ts';
import type { Dataplane } from '../dataplane-types.ts';
import type { Packet } from '../packet.ts';
import { openCluster, openDataplane } from './cluster-input.ts';
import { explanationText } from './explanation-text.ts';
import { readObjects } from './input.ts';
import { type Io, note, paintFor, UsageError, writeJson } from './io.ts';
import { findingsAbout, unreachedService, whyText } from './no-traffic.ts';
import {
  collect,
  type InputOptions,
  type NodeOptions,
  type OutputFormat,
  withInputOptions,
  withNodeOptions,
  withOutputOption,
} from './options.ts';
import { type Destination, familyOf, resolveDestination, resolveSource, type Source } from './packet-ends.ts';
import { traceRules } from './trace-rules.ts';

interface TraceOptions extends InputOptions, NodeOptions {
  readonly from: string;
  readonly to: string;
  readonly protocol?: string;
  readonly rules?: readonly string[];
  readonly lenient?: true;
  readonly nodeIp?: readonly string[];
  readonly inInterface?: string;
  readonly mark?: string;
  readonly verbose?: true;
  readonly output: OutputFormat;
}

export function addTrace(program: Command, io: Io): void {
  const command = program
    .command('trace')
    .description('explain one packet: which rules decide, and which backends have which odds')
    .requiredOption('--from <source>', 'IP[:port], [namespace/]pod, external or node; default/client may be a stand-in')
    .requiredOption('--to <destination>', 'IP:port or service[.namespace][:port]')
    .option('--protocol <protocol>', 'TCP, UDP or SCTP (default: as the Service port says)');
  withOutputOption(withNodeOptions(withInputOptions(command)))
    .option('-v, --verbose', "with each rule's own text")
    .option('--rules <file>', 'instead of manifests: what iptables-save or ip6tables-save printed; may be repeated', collect)
    .option('--node-ip <address>', 'with --rules: an address of that node, primary first; may be repeated', collect)
    .option('--in-interface <name>', 'with --rules: where the packet comes in, for rules that ask (-i)')
    .option('--mark <mark>', 'with --rules: the firewall mark that the packet carries already')
    .option('--lenient', 'with --rules: words that are not modelled are a warning, and what follows is uncertain')
    .addHelpText('after', '\nExample:\n  svcplane trace -f examples/hostnames.yaml --from default/client --to hostnames')
    .action((options: TraceOptions) => {
      const { rules } = options;
      if (rules !== undefined && options.filename !== undefined) throw new UsageError('--rules stands instead of -f: give one of them');
      if (rules !== undefined) return traceRules({ ...options, rules }, io);
      for (const name of OF_RULES)
        if (options[name] !== undefined) throw new UsageError(`--${kebab(name)} is for --rules, and plays no part with -f`);
      trace(options, io);
    });
}

/** What only a dump of rules leaves open. */
const OF_RULES = ['nodeIp', 'inInterface', 'mark', 'lenient'] as const;

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function trace(options: TraceOptions, io: Io): void {
  const objects = readObjects(options, io);
  const cluster = openCluster(objects, options, io);
  const context = { cluster, namespace: options.namespace ?? 'default', node: options.node };
  const destination = resolveDestination(options.to, options.protocol, context, familyOf(options.from));
  if ('reason' in destination) {
    const { name, reason } = destination;
    const findings = findingsAbout(unreachedService(name, []), cluster, objects, options.namespace);
    if (options.output === 'json') writeJson(io, 'Explanation', { service: name, outcomes: [], reason, findings });
    else io.stdout(`${name} has no address to send a packet to: ${reason}.\n${whyText(findings, paintFor(io))}`);
    return;
  }
  const source = resolveSource(options.from, destination.address, context);
  for (const said of source.notes) note(io, said);
  const packet = packetBetween(source, destination);
  using connected = openDataplane(cluster, source.node, options, io);
  const { dataplane } = connected;
  const explanation = dataplane.explain(packet);
  const findings = findingsAbout(unreachedService(destination.name, explanation.outcomes), cluster, objects, options.namespace);
  if (options.output === 'json') {
    const { verdict } = dataplane.trace(packet);
    const { mode, engine } = dataplane;
    const fields = {
      node: source.node.metadata.name,
      mode,
      engine,
      packet,
      rulesEvaluated: verdict.rulesEvaluated,
      ...explanation,
    };
    writeJson(io, 'Explanation', { ...fields, notes: source.notes, findings });
    return;
  }
  const text = explain(dataplane, cluster, source.node, packet, destination, { isVerbose: options.verbose === true, io });
  io.stdout(`${text}${whyText(findings, paintFor(io))}`);
}

function packetBetween(source: Source, destination: Destination): Packet {
  if (parseAddress(source.address)?.family !== parseAddress(destination.address)?.family) {
    throw new UsageError(`--from ${source.address} and --to ${destination.address} are of different families`);
  }
  return {
    protocol: destination.protocol,
    source: source.address,
    sourcePort: source.port,
    destination: destination.address,
    destinationPort: destination.port,
  };
}

/** The explanation of a packet as text, with the names that the cluster knows for its addresses. */
export function explain(
  dataplane: Dataplane,
  cluster: Cluster,
  node: KubernetesObject,
  packet: Packet,
  destination: Destination,
  { isVerbose, io }: { readonly isVerbose: boolean; readonly io: Io },
): string {
  const owners = addressOwners(cluster);
  return explanationText(dataplane.explain(packet), {
    packet,
    ...(destination.name === undefined ? {} : { destinationName: destination.name }),
    mode: dataplane.mode,
    node: node.metadata.name,
    rulesEvaluated: dataplane.trace(packet).verdict.rulesEvaluated,
    servicePorts: dataplane.servicePorts(),
    isVerbose,
    paint: paintFor(io),
    owner: (address) => owners.get(address),
  });
}

/** Address → the Pod that has it. A host-network Pod shares its Node's address and is no clear owner of it. */
export function addressOwners(cluster: Cluster): ReadonlyMap<string, { readonly pod: string; readonly node: string }> {
  const owners = new Map<string, { pod: string; node: string }>();
  for (const node of cluster.objects('Node')) {
    for (const address of nodeAddresses(node)) owners.set(address, { pod: '-', node: node.metadata.name });
  }
  for (const pod of cluster.objects('Pod')) {
    for (const address of podIPs(pod)) if (!owners.has(address)) owners.set(address, { pod: pod.metadata.name, node: podNode(pod) });
  }
  return owners;
}
