// An IPVS table for the verbs of `svcplane ipvs`: lines of ipvsadm from a file or standard input, or what kube-proxy makes of manifests.
import { type Command, Option } from 'commander';
import { formatEndpoint } from '../address.ts';
import { SvcplaneError } from '../errors.ts';
import type { TimeoutSettings } from '../ipvs/engine.ts';
import { Registry, type ServiceEntry } from '../ipvs/registry.ts';
import { type CommandLine, readCommandLine } from '../ipvs/restore.ts';
import { findNode, openCluster, openDataplane } from './cluster-input.ts';
import { originOf, readObjects, readText } from './input.ts';
import { type Io, UsageError } from './io.ts';
import { type InputOptions, type NodeOptions, withInputOptions } from './options.ts';

export interface TableOptions extends InputOptions, NodeOptions {}

export interface IpvsTable {
  /** What can be read of it. */
  readonly services: readonly ServiceEntry[];
  /** One message for each line that ipvsadm would refuse, with its place. */
  readonly problems: readonly string[];
  /** Of all `--set` lines. */
  readonly timeouts: TimeoutSettings;
  /** By the id of the service: the ServicePort that it is for. Empty for a table that came as text. */
  readonly servicePorts: ReadonlyMap<string, string>;
}

export function withTableOptions(command: Command): Command {
  return withInputOptions(command.argument('[table]', 'a file of ipvsadm lines, or - for standard input; instead of -f'))
    .option('--node <name>', 'with -f: the Node whose table is meant (default: the first)')
    .addOption(new Option('--engine <engine>', 'what runs the table').choices(['auto', 'wasm', 'js']))
    .option('--config <file>', 'with -f: a KubeProxyConfiguration (ipvs.scheduler …)');
}

export function readTable(file: string | undefined, options: TableOptions, io: Io): IpvsTable {
  if (file === undefined) {
    if (options.filename === undefined)
      throw new UsageError('no table given: name a file of ipvsadm lines (- for standard input), or manifests with -f');
    return tableOfManifests(options, io);
  }
  if (options.filename !== undefined) throw new UsageError(`${file} and -f exclude each other: a table comes from one of them`);
  return { ...readLines(readText(file, io), originOf(file)), servicePorts: new Map() };
}

/** The virtual services of that node in ipvs mode. */
function tableOfManifests(options: TableOptions, io: Io): IpvsTable {
  const cluster = openCluster(readObjects(options, io), options, io);
  // The table is read off the rules, no packet runs: the engine that takes every one.
  using connected = openDataplane(cluster, findNode(cluster, options.node), { ...options, mode: 'ipvs', engine: 'js' }, io);
  const { dataplane } = connected;
  const text = dataplane
    .render()
    .filter(({ tool }) => tool === 'ipvsadm')
    .map((part) => part.text)
    .join('');
  const table = readLines(text, 'the rendered table');
  if (table.problems[0] !== undefined) throw new Error(table.problems[0]);
  const servicePorts = new Map<string, string>();
  for (const { servicePort, protocol, frontends } of dataplane.servicePorts()) {
    for (const { address, port } of frontends) servicePorts.set(`${protocol} ${formatEndpoint(address ?? '*', port)}`, servicePort);
  }
  return { ...table, servicePorts };
}

/** All lines, or a message for each that cannot be taken. */
function readLines(text: string, origin: string): Omit<IpvsTable, 'servicePorts'> {
  const registry = new Registry();
  const problems: string[] = [];
  /** Services whose own line is wrong: that they do not exist then is no second problem. */
  let hasLostService = false;
  let timeouts: TimeoutSettings = { tcp: 0, tcpfin: 0, udp: 0 };
  text.split(/\r?\n/).forEach((line, index) => {
    let read: CommandLine | undefined;
    try {
      read = readCommandLine(line, `${origin}:${index + 1}`);
      if (read !== undefined) registry.apply(read.command, read.nameOf);
      if (read?.command.verb === 'setTimeouts') timeouts = withTimeouts(timeouts, read.command.seconds);
    } catch (error) {
      if (!(error instanceof SvcplaneError)) throw error;
      const isFollowUp = hasLostService && read !== undefined && read.command.verb !== 'addService';
      if (!isFollowUp) problems.push(error.message);
      if (/^\s*(ipvsadm\s+)?(-A|--add-service)/.test(line)) hasLostService = true;
    }
  });
  return { services: [...registry.services()], problems, timeouts };
}

/** 0 leaves one as it is. */
function withTimeouts(before: TimeoutSettings, { tcp, tcpfin, udp }: TimeoutSettings): TimeoutSettings {
  return { tcp: tcp || before.tcp, tcpfin: tcpfin || before.tcpfin, udp: udp || before.udp };
}

/** The name of the ServicePort of a service, also where a node port answers on each address. */
export function servicePortOf({ key }: ServiceEntry, { servicePorts }: IpvsTable): string | undefined {
  if (key.kind === 'fwmark') return undefined;
  return servicePorts.get(key.id) ?? servicePorts.get(`${key.protocol} *:${key.port}`);
}
