// `svcplane ipvs restore` and `save`: what is wrong with a table, and the table as ipvsadm shows it.
import { formatEndpoint } from '../address.ts';
import type { ServiceEntry } from '../ipvs/registry.ts';
import { netmaskText, saveText } from '../ipvs/save.ts';
import { flagNames } from '../ipvs/settings.ts';
import { InputError, type Io, writeJson } from './io.ts';
import { type IpvsTable, readTable, type TableOptions } from './ipvs-table.ts';
import type { OutputFormat } from './options.ts';

/** Prints the table with canonical addresses, options in ipvsadm's order and defaults spelled out. */
export function saveTable(file: string | undefined, options: TableOptions, io: Io): number {
  const table = readTable(file, options, io);
  if (table.problems.length > 0) return reportProblems(table, io);
  io.stdout(saveText(table.services));
  return 0;
}

export function checkTable(file: string | undefined, options: TableOptions & { readonly output: OutputFormat }, io: Io): number {
  const table = readTable(file, options, io);
  const isValid = table.problems.length === 0;
  if (options.output === 'json') {
    writeJson(io, 'IpvsTable', { valid: isValid, problems: table.problems, services: table.services.map(serviceFields) });
    return isValid ? 0 : 3;
  }
  if (!isValid) return reportProblems(table, io);
  io.stdout(listingText(table.services));
  return 0;
}

/** @throws InputError with all problems, for verbs that need a whole table. */
export function requireValid({ problems }: IpvsTable): void {
  if (problems.length > 0) throw new InputError(problems.join('\nerror: '));
}

function reportProblems({ problems }: IpvsTable, io: Io): number {
  for (const problem of problems) io.stderr(`error: ${problem}\n`);
  return 3;
}

/** As `ipvsadm -Ln` prints it, servers as schedulers walk them: newest first. No connections: nothing ran. */
function listingText(services: readonly ServiceEntry[]): string {
  const lines = services.flatMap((service) => [
    serviceTitle(service),
    ...[...service.servers.values()].reverse().map(({ key, settings }) => serverLine(key.id, 'Masq', String(settings.weight), '0', '0')),
  ]);
  const header = [
    'Prot LocalAddress:Port Scheduler Flags',
    serverLine('RemoteAddress:Port', 'Forward', 'Weight', 'ActiveConn', 'InActConn'),
  ];
  return [...header, ...lines].map((line) => `${line}\n`).join('');
}

/** In ipvsadm's columns. */
function serverLine(name: string, forward: string, weight: string, active: string, inactive: string): string {
  return `  -> ${name.padEnd(28)} ${forward.padEnd(7)} ${weight.padEnd(6)} ${active.padEnd(10)} ${inactive}`;
}

/** `UDP  10.96.0.10:53 mh (mh-port) persistent 300 mask 255.255.255.0 ops`. */
function serviceTitle({ key, settings }: ServiceEntry): string {
  const { persistence, isOnePacket, scheduler } = settings;
  const name =
    key.kind === 'fwmark'
      ? `FWM  ${key.mark}${key.family === 'IPv6' ? ' IPv6' : ''}`
      : `${key.protocol.padEnd(4)} ${formatEndpoint(key.address.text, key.port)}`;
  const flags = flagNames(settings);
  const netmask = persistence === undefined ? undefined : netmaskText(key, persistence);
  return [
    name,
    scheduler,
    ...(flags.length === 0 ? [] : [`(${flags.join(',')})`]),
    ...(persistence === undefined ? [] : [`persistent ${persistence.timeoutSeconds}`]),
    ...(netmask === undefined ? [] : [`mask ${netmask}`]),
    ...(isOnePacket ? ['ops'] : []),
  ].join(' ');
}

/** The netmask where it is not the whole address. */
function persistenceFields({ key, settings: { persistence } }: ServiceEntry): Readonly<Record<string, unknown>> {
  if (persistence === undefined) return {};
  const netmask = netmaskText(key, persistence);
  return { persistenceSeconds: persistence.timeoutSeconds, ...(netmask === undefined ? {} : { persistenceNetmask: netmask }) };
}

function serviceFields(service: ServiceEntry): Readonly<Record<string, unknown>> {
  const { key, settings, servers } = service;
  return {
    service: key.id,
    scheduler: settings.scheduler,
    flags: flagNames(settings),
    ...persistenceFields(service),
    onePacket: settings.isOnePacket,
    servers: Array.from(servers.values(), (server) => ({
      address: server.key.address.text,
      port: server.key.port,
      ...server.settings,
    })),
  };
}
