// `svcplane ipvs simulate`: connections from many clients through a table, and where each went.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Family, formatEndpoint } from '../address.ts';
import { createIpvsSync } from '../ipvs/ipvs.ts';
import { SCHEDULERS } from '../ipvs/keys.ts';
import { asPath, serviceRefOf } from '../ipvs/references.ts';
import type { ServiceEntry } from '../ipvs/registry.ts';
import { saveText } from '../ipvs/save.ts';
import { flagNames, readServiceSettings } from '../ipvs/settings.ts';
import { originOf, readText } from './input.ts';
import { InputError, type Io, UsageError, writeJson } from './io.ts';
import { requireValid } from './ipvs-check.ts';
import { type ClientEnd, drawClients, readClients } from './ipvs-clients.ts';
import { type Distribution, distributionOf, distributionText, ServerCounts } from './ipvs-distribution.ts';
import { type IpvsTable, readTable, servicePortOf, type TableOptions, withTableOptions } from './ipvs-table.ts';
import { type Choice, sendConnections, type Target } from './ipvs-traffic.ts';
import { nearest } from './near-names.ts';
import { collect, type OutputFormat, parsePositive, withOutputOption } from './options.ts';
import { formatTable } from './table.ts';

const CONNECTIONS_DEFAULT = 1000;
const CLIENTS_DEFAULT = 100;
const RATE_DEFAULT = 100;
const SEED_DEFAULT = 1;
const MAX_CONNECTIONS = 10_000_000;
/** What services that answer on any address (by mark) or any port are asked for. */
const ANY_ADDRESS: Readonly<Record<Family, string>> = { IPv4: '192.0.2.1', IPv6: '2001:db8:ffff::1' };
const ANY_PORT = 80;

interface SimulateOptions extends TableOptions {
  readonly service?: readonly string[];
  readonly scheduler?: string;
  readonly schedFlags?: string;
  readonly persistent?: number;
  readonly connections?: number;
  readonly clients?: number;
  readonly clientCidr?: readonly string[];
  readonly csv?: string;
  readonly rate: number;
  readonly duration?: number;
  readonly sysctl?: readonly string[];
  readonly seed: number;
  readonly choices?: true;
  readonly output: OutputFormat;
}

export function addSimulate(ipvs: Command, io: Io, finish: (code: number) => void): void {
  const command = ipvs.command('simulate').description('send connections from many clients through a table, and show where they went');
  withOutputOption(withTableOptions(command))
    .option(
      '-t, --service <service>',
      'only this one: IP:port[/protocol], fwmark:N, or with -f [namespace/]name[:port]; may be repeated',
      collect,
    )
    .addOption(new Option('-s, --scheduler <name>', 'instead of the scheduler that the table says').choices(SCHEDULERS))
    .option('-b, --sched-flags <flags>', 'scheduler flags, separated by commas: mh-port, mh-fallback, sh-port, sh-fallback')
    .option('-p, --persistent <seconds>', 'clients keep their server that long', parseCount)
    .option('-c, --connections <count>', `connections to each service (default: ${CONNECTIONS_DEFAULT})`, parseCount)
    .option('--clients <count>', `distinct client addresses (default: ${CLIENTS_DEFAULT})`, parseCount)
    .option(
      '--client-cidr <cidr>',
      'where client addresses are drawn from, one CIDR a family (default: 198.18.0.0/15, 2001:db8::/32)',
      collect,
    )
    .option(
      '--csv <file>',
      'clients from a file instead: address[,port[,connections]] a line, in this order; a header may name the columns',
    )
    .option('--rate <number>', 'connections a second to each service', parsePositive, RATE_DEFAULT)
    .option('--duration <seconds>', 'how long each lasts (default: it stays open and idle until its timeout)', parsePositive)
    .option('--sysctl <name=value>', 'of net.ipv4.vs, such as expire_nodest_conn=1; may be repeated', collect)
    .option('--seed <number>', 'of clients, ports and scheduler twos', parseSeed, SEED_DEFAULT)
    .option('--choices', 'each connection with its server instead of the distribution')
    .addHelpText(
      'after',
      '\nExamples:\n  ipvsadm -Sn | svcplane ipvs simulate - --connections 100000 --clients 5000\n  svcplane ipvs simulate -f examples/hostnames.yaml --scheduler mh',
    )
    .action((table: string | undefined, options: SimulateOptions) => {
      simulate(table, options, io);
      finish(0);
    });
}

function simulate(file: string | undefined, options: SimulateOptions, io: Io): void {
  const table = readTable(file, options, io);
  requireValid(table);
  const services = selectServices(table, options.service).map((service) => overridden(service, options));
  const clientsOf = clientSource(options, io);
  const flows = services.map((service) => ({ service, target: targetOf(service), clients: clientsOf(service.key.family) }));
  let nowMs = 0;
  using ipvs = createIpvsSync({
    now: () => nowMs,
    seed: options.seed,
    engine: options.engine ?? 'auto',
    sysctls: readSysctls(options.sysctl ?? []),
  });
  ipvs.restore(saveText(services));
  ipvs.setTimeouts(table.timeouts);
  const stage = { ipvs, setSeconds: (seconds: number) => (nowMs = Math.floor(seconds * 1000)) };
  const choices = sendConnections(stage, flows, { rate: options.rate, duration: options.duration });
  const head = {
    engine: ipvs.engine,
    seed: options.seed,
    rate: options.rate,
    ...(options.duration === undefined ? {} : { duration: options.duration }),
  };
  if (options.choices === true) {
    printChoices([...choices], flows, head, options, io);
    return;
  }
  const chosen = new Map(flows.map(({ target, service }) => [target, new ServerCounts(service)]));
  for (const { target, server } of choices) if (server !== undefined) chosen.get(target)?.add(server);
  const distributions = flows.map(({ service, target, clients }) =>
    distributionOf(
      service,
      servicePortOf(service, table),
      ipvs.servers(serviceRefOf(service.key)),
      chosen.get(target)?.byServer ?? new Map(),
      clients.length,
    ),
  );
  printDistributions(distributions, head, options, io);
}

function printDistributions(
  distributions: readonly Distribution[],
  head: Readonly<Record<string, unknown>>,
  options: SimulateOptions,
  io: Io,
): void {
  if (options.output === 'json') writeJson(io, 'IpvsDistribution', { ...head, services: distributions });
  else io.stdout(`${distributions.map(distributionText).join('\n')}\n${paceText(options)}`);
}

function paceText({ rate, duration, seed, csv }: SimulateOptions): string {
  const lasting = duration === undefined ? 'staying open' : `lasting ${duration} s`;
  return `${rate} connections a second, ${lasting}; clients ${csv === undefined ? `of seed ${seed}` : `of ${csv === '-' ? 'standard input' : csv}`}\n`;
}

function printChoices(
  choices: readonly Choice[],
  flows: readonly { readonly service: ServiceEntry; readonly target: Target }[],
  head: Readonly<Record<string, unknown>>,
  { output }: SimulateOptions,
  io: Io,
): void {
  const names = new Map(flows.map(({ service, target }) => [target, service.key.id]));
  const items = choices.map(({ at, client, target, server }) => ({
    seconds: at,
    client: formatEndpoint(client.address, client.port),
    service: names.get(target) ?? '',
    ...(server === undefined ? {} : { server: formatEndpoint(server.address, server.port) }),
  }));
  if (output === 'json') writeJson(io, 'IpvsChoices', { ...head, items });
  else
    io.stdout(
      formatTable(
        ['SECONDS', 'CLIENT', 'SERVICE', 'SERVER'],
        items.map(({ seconds, client, service, server }) => [seconds.toFixed(3), client, service, server ?? '<none>']),
      ),
    );
}

/** Services by what a person may call them. @throws InputError naming what there is */
function selectServices(table: IpvsTable, wanted: readonly string[] | undefined): readonly ServiceEntry[] {
  if (table.services.length === 0) throw new InputError('the table has no services');
  if (wanted === undefined) return table.services;
  const found = wanted.flatMap((text) => {
    const named = table.services.filter((service) => namesOf(service, table).includes(text));
    if (named.length > 0) return named;
    throw new InputError(
      `service ${text} is not in the table${nearest(
        text,
        table.services.map((service) => servicePortOf(service, table) ?? namesOf(service, table)[0] ?? ''),
      )}`,
    );
  });
  return [...new Set(found)];
}

function namesOf(service: ServiceEntry, table: IpvsTable): string[] {
  const { key } = service;
  if (key.kind === 'fwmark') return [`fwmark:${key.mark}`, key.id];
  const endpoint = formatEndpoint(key.address.text, key.port);
  const servicePort = servicePortOf(service, table);
  const [whole = '', namespace = '', name = ''] = /^(.*?)\/([^:]*)/.exec(servicePort ?? '') ?? [];
  return [
    endpoint,
    `${endpoint}/${key.protocol.toLowerCase()}`,
    key.id,
    ...(servicePort === undefined ? [] : [servicePort, whole, servicePort.slice(namespace.length + 1), name]),
  ];
}

/** The service with what the options say instead. Flags of one scheduler do not stay with another; a netmask stays. */
function overridden(service: ServiceEntry, { scheduler, schedFlags, persistent }: SimulateOptions): ServiceEntry {
  const { settings, key } = service;
  const keepsFlags = scheduler === undefined || scheduler === settings.scheduler;
  const flags = schedFlags === undefined ? (keepsFlags ? flagNames(settings) : []) : schedFlags.split(',');
  const options = { scheduler: scheduler ?? settings.scheduler, flags, onePacket: settings.isOnePacket };
  const read = readServiceSettings(
    { ...options, persistence: { timeout: persistent ?? 1 } },
    key,
    (field) => optionOf[field] ?? asPath(field),
  );
  const { persistence, ...rest } = read;
  if (persistent !== undefined && persistence !== undefined) {
    const { mask } = settings.persistence ?? persistence;
    return { ...service, settings: { ...rest, persistence: { ...persistence, mask } } };
  }
  return { ...service, settings: { ...rest, ...(settings.persistence === undefined ? {} : { persistence: settings.persistence }) } };
}

const optionOf: Readonly<Record<string, string>> = {
  'options.flags': '--sched-flags',
  'options.scheduler': '--scheduler',
  'options.persistence.timeout': '--persistent',
};

/** The clients of a family, drawn once or read once. */
function clientSource(options: SimulateOptions, io: Io): (family: Family) => readonly ClientEnd[] {
  const { csv, connections, clients, clientCidr } = options;
  if (csv !== undefined) {
    if (connections !== undefined || clients !== undefined || clientCidr !== undefined)
      throw new UsageError('--csv says who connects: --connections, --clients and --client-cidr do not go with it');
    const read = readClients(readText(csv, io), originOf(csv));
    return (family) => {
      const own = read.filter(({ address }) => address.includes(':') === (family === 'IPv6'));
      if (own.length === 0) throw new InputError(`${csv}: no ${family} client, and a service is ${family} (--service chooses among them)`);
      return own;
    };
  }
  const population = {
    seed: options.seed,
    clients: clients ?? CLIENTS_DEFAULT,
    connections: connections ?? CONNECTIONS_DEFAULT,
    cidrs: clientCidr ?? [],
  };
  const drawn = new Map<Family, readonly ClientEnd[]>();
  return (family) => {
    const known = drawn.get(family) ?? drawClients(population, family);
    drawn.set(family, known);
    return known;
  };
}

function targetOf({ key }: ServiceEntry): Target {
  if (key.kind === 'fwmark') return { protocol: 'TCP', address: ANY_ADDRESS[key.family], port: ANY_PORT, fwmark: key.mark };
  return { protocol: key.protocol, address: key.address.text, port: key.port === 0 ? ANY_PORT : key.port, fwmark: 0 };
}

function readSysctls(words: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    words.map((word) => {
      const [, name = '', value] = /^([^=]+)=(\d+)$/.exec(word) ?? [];
      if (value === undefined) throw new UsageError(`--sysctl ${word}: expected name=number`);
      return [name, Number(value)];
    }),
  );
}

function parseCount(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= MAX_CONNECTIONS) return value;
  throw new InvalidArgumentError(`expected a whole number from 1 to ${MAX_CONNECTIONS}.`);
}

function parseSeed(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 0xffffffff) return value;
  throw new InvalidArgumentError('expected a whole number of 32 bits.');
}
