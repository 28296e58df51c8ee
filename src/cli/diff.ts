// `svcplane diff`: what changes for every Service, client and address in another proxy mode, or in another state of the manifests.
import { type Command, Option } from 'commander';
import { objectName } from '../api/kinds.ts';
import { locationOf } from '../api/places.ts';
import type { KubernetesObject } from '../api/types.ts';
import { type Cluster, type ClusterConsumer, createCluster } from '../cluster/cluster.ts';
import { nodeAddresses } from '../cluster/nodes.ts';
import { type Comparison, compareDataplanes, type Reason, type Sides } from '../diff/comparison.ts';
import { modeNotes } from '../diff/mode-notes.ts';
import { modeReasons } from '../diff/mode-reasons.ts';
import { isLocal, nodesToAsk, onlyServices } from '../diff/nodes-to-ask.ts';
import { viewpointOf } from '../diff/questions.ts';
import { stateReason } from '../diff/state-reasons.ts';
import { formatLocation } from '../errors.ts';
import type { ProxyMode } from '../packet.ts';
import { clusterOptions, findNode, openDataplane } from './cluster-input.ts';
import { comparisonText } from './diff-text.ts';
import { readObjects } from './input.ts';
import { InputError, type Io, paintFor, UsageError, writeJson } from './io.ts';
import { collect, type InputOptions, type OutputFormat, withInputOptions, withOutputOption } from './options.ts';

const MODES: readonly ProxyMode[] = ['iptables', 'ipvs', 'nftables'];

export interface DiffOptions extends InputOptions {
  readonly fromMode?: ProxyMode;
  readonly toMode?: ProxyMode;
  readonly mode?: ProxyMode;
  readonly node?: string;
  readonly nodeIp?: readonly string[];
  readonly config?: string;
  readonly toConfig?: string;
  readonly verbose?: true;
  readonly output: OutputFormat;
}

export function addDiff(program: Command, io: Io, finish: (code: number) => void): void {
  const command = program
    .command('diff')
    .description('what changes for every Service, client and address: in another proxy mode, or between two states of the manifests')
    .argument('[old]', 'the old state: a file or directory')
    .argument('[new]', 'the new state: a file or directory');
  withOutputOption(withInputOptions(command))
    .addOption(new Option('--from-mode <mode>', 'the proxy mode to come from').choices(MODES))
    .addOption(new Option('--to-mode <mode>', 'the proxy mode to go to').choices(MODES))
    .addOption(new Option('--mode <mode>', 'the proxy mode of both states (default: of --config, else iptables)').choices(MODES))
    .option('--node <name>', 'ask this Node only (default: as many as it takes to see each policy Local with and without an endpoint)')
    .option(
      '--node-ip <address>',
      "an address of that Node's interfaces, primary first; may be repeated (default: its InternalIPs)",
      collect,
    )
    .option('--config <file>', 'a KubeProxyConfiguration')
    .option('--to-config <file>', 'the KubeProxyConfiguration afterwards (default: the same)')
    .option('-v, --verbose', 'every Service and change, not the first few of each reason')
    .addHelpText(
      'after',
      `
Exit code 1: something changes.

Examples:
  svcplane diff --from-mode iptables --to-mode nftables -f cluster.yaml
  svcplane diff old/ new/`,
    )
    .action((before: string | undefined, after: string | undefined, options: DiffOptions) => finish(diff(before, after, options, io)));
}

/** What is compared: the objects of both sides, and the mode of each. */
interface Plan {
  readonly before: readonly KubernetesObject[];
  /** Absent: the same objects. */
  readonly after?: readonly KubernetesObject[];
  readonly from: ProxyMode | undefined;
  readonly to: ProxyMode | undefined;
}

function diff(before: string | undefined, after: string | undefined, options: DiffOptions, io: Io): number {
  const plan = planOf(before, after, options, io);
  using opened = new OpenSides(plan, options, io);
  const { sides, serviceCIDRs } = opened;
  const [first] = sides;
  if (first === undefined) throw new InputError('there is no Node to ask');
  const modes = { from: first.before.mode, to: first.after.mode };
  const isOfModes = modes.from !== modes.to;
  const comparison = compareDataplanes(sides, { reasonFor: isOfModes ? modeReasons(modes.from, modes.to) : stateReason, serviceCIDRs });
  const context = {
    from: before ?? modes.from,
    to: after ?? modes.to,
    mode: modes.to,
    nodes: sides.map(({ viewpoint }) => viewpoint.node),
    notes: modeNotes(modes.from, modes.to, first.after.servicePorts(), first.viewpoint),
    place: placesIn(plan, options.namespace ?? 'default'),
  };
  if (options.output === 'json') writeComparison(comparison, context, io);
  else io.stdout(comparisonText(comparison, { ...context, isVerbose: options.verbose === true, paint: paintFor(io) }));
  return comparison.findings.length === 0 ? 0 : 1;
}

function planOf(before: string | undefined, after: string | undefined, options: DiffOptions, io: Io): Plan {
  const { fromMode, toMode, mode } = options;
  if (before === undefined) {
    if (fromMode === undefined && toMode === undefined && options.toConfig === undefined) {
      throw new UsageError('nothing to compare: give --from-mode and --to-mode with -f FILE, or two states: svcplane diff OLD NEW');
    }
    return { before: readObjects(options, io), from: fromMode ?? mode, to: toMode ?? mode };
  }
  if (after === undefined) throw new UsageError(`${before} is one state; name the other one as well: svcplane diff OLD NEW`);
  if (fromMode !== undefined || toMode !== undefined) {
    throw new UsageError('two states are compared in one mode (--mode); compare modes on one state: --from-mode A --to-mode B -f FILE');
  }
  if (options.filename !== undefined) throw new UsageError('with two states, -f has no meaning: svcplane diff OLD NEW');
  const read = (name: string) => readObjects({ ...options, filename: [name] }, io);
  return { before: read(before), after: read(after), from: mode, to: mode };
}

/** The dataplanes of all nodes to ask, before and after. */
class OpenSides implements Disposable {
  readonly sides: readonly Sides[];
  readonly serviceCIDRs: readonly string[];
  readonly #opened: Disposable[] = [];

  constructor(plan: Plan, options: DiffOptions, io: Io) {
    const settings = clusterOptions([...plan.before, ...(plan.after ?? [])], options, io);
    const cluster = createCluster(settings);
    this.serviceCIDRs = cluster.serviceCIDRs;
    cluster.apply(plan.before);
    // Addresses of interfaces are those of one node.
    const isOneNode = options.node !== undefined || options.nodeIp !== undefined;
    const local = localServices(plan, options.namespace ?? 'default');
    const isMeant = (service: KubernetesObject) => local.has(objectName(service));
    const names = isOneNode ? [findNode(cluster, options.node).metadata.name] : nodesToAsk(cluster, isMeant);
    const viewpoints = names.map((name) => viewpointOf(cluster, name, options.nodeIp));
    const open = (config: string | undefined, mode: ProxyMode | undefined) =>
      viewpoints.map((viewpoint, index) => {
        const node = findNode(cluster, viewpoint.node);
        const nodeIPs = options.nodeIp ?? nodeAddresses(node);
        const asked = {
          ...options,
          ...(config === undefined ? {} : { config }),
          ...(mode === undefined ? {} : { mode }),
          engine: 'js' as const,
        };
        // The first node is asked everything; the others are there for policy Local.
        const seen =
          index === 0 ? cluster : { ...cluster, connect: (consumer: ClusterConsumer) => cluster.connect(onlyServices(local, consumer)) };
        const opened = openDataplane(seen, node, asked, io, { nodeIPs });
        this.#opened.push(opened);
        return opened;
      });
    const before = open(options.config, plan.from);
    if (plan.after !== undefined) {
      for (const each of before) each.disconnect();
      replaceObjects(cluster, plan.before, plan.after, options.namespace ?? 'default');
    }
    const after = open(options.toConfig ?? options.config, plan.to);
    this.sides = viewpoints.flatMap((viewpoint, index) => {
      const [one, other] = [before[index], after[index]];
      return one === undefined || other === undefined ? [] : [{ viewpoint, before: one.dataplane, after: other.dataplane }];
    });
  }

  [Symbol.dispose](): void {
    for (const each of this.#opened) each[Symbol.dispose]();
  }
}

/** `namespace/name` of those that have a policy Local, before or after. */
function localServices({ before, after = [] }: Plan, namespace: string): ReadonlySet<string> {
  const services = [...before, ...after].filter((object) => object.kind === 'Service' && isLocal(object));
  return new Set(services.map(({ metadata }) => `${metadata.namespace ?? namespace}/${metadata.name}`));
}

/** As `kubectl apply --prune` does it: what is gone goes, what stays keeps its addresses. */
function replaceObjects(
  cluster: Cluster,
  before: readonly KubernetesObject[],
  after: readonly KubernetesObject[],
  namespace: string,
): void {
  const kept = new Set(after.map((object) => nameOf(object, namespace)));
  const gone = before.filter((object) => !kept.has(nameOf(object, namespace)));
  cluster.delete(gone.map(({ kind, metadata }) => ({ kind, namespace: metadata.namespace ?? namespace, name: metadata.name })));
  cluster.apply(after);
}

function nameOf({ kind, metadata }: KubernetesObject, namespace: string): string {
  return `${kind} ${metadata.namespace ?? namespace}/${metadata.name}`;
}

/** Where the Service, or its field that a reason names, stands in the manifests: those of the new state first. */
function placesIn(plan: Plan, namespace: string): (service: string, reason: Reason) => string | undefined {
  const services = new Map<string, KubernetesObject>();
  for (const object of [...plan.before, ...(plan.after ?? [])]) {
    if (object.kind === 'Service') services.set(nameOf(object, namespace), object);
  }
  return (service, { field }) => {
    const object = services.get(`Service ${service}`);
    const location = object === undefined ? undefined : locationOf(object, field);
    if (location === undefined) return undefined;
    return formatLocation({ origin: location.origin, ...(location.line === undefined ? {} : { line: location.line }) });
  };
}

interface ComparisonContext {
  readonly from: string;
  readonly to: string;
  readonly mode: string;
  readonly nodes: readonly string[];
  readonly notes: readonly string[];
  place(service: string, reason: Reason): string | undefined;
}

function writeComparison(comparison: Comparison, { place, ...context }: ComparisonContext, io: Io): void {
  const findings = comparison.findings.map(({ reason, effect, services, forAll }) => ({
    ...reason,
    effect,
    services: services.map(({ service, changes }) => {
      const location = place(service, reason);
      return { service, ...(location === undefined ? {} : { location }), changes };
    }),
    forAll,
  }));
  const { services, changed, questions } = comparison;
  writeJson(io, 'Comparison', { ...context, services, changed, same: services - changed, questions, findings });
}
