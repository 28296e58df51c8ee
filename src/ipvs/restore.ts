// What `ipvsadm -R` reads, as commands: one line, one command. Nothing is changed here.
import { InvalidArgumentError, UnsupportedError } from '../errors.ts';
import { type LineOptions, readOptions } from './command-line.ts';
import type { Command } from './commands.ts';
import type { ServerKey, ServiceKey } from './keys.ts';
import { type FieldName, MAX_PORT, MAX_U32, readServerKey, readServiceKey } from './references.ts';
import { readServerSettings, readServiceSettings } from './settings.ts';
import type { ServerOptions, ServiceOptions, ServiceRef } from './types.ts';

export interface CommandLine {
  readonly command: Command;
  /** Names fields by line and option. */
  readonly nameOf: FieldName;
}

const DEFAULT_PERSISTENCE_SECONDS = 300;

/** The option that a field comes from; of services it depends on the line. */
const optionOf: ReadonlyMap<string, string> = new Map([
  ['options.scheduler', '-s'],
  ['options.flags', '-b'],
  ['options.persistence.timeout', '-p'],
  ['options.persistence.netmask', '-M'],
  ['options.onePacket', '-o'],
  ['server.weight', '-w'],
  ['server.upperThreshold', '-x'],
  ['server.lowerThreshold', '-y'],
]);

const serviceProtocols = [
  ['-t', 'TCP'],
  ['-u', 'UDP'],
  ['--sctp-service', 'SCTP'],
] as const;

/** Blank lines and comments (#) are skipped. @throws InvalidArgumentError, UnsupportedError, both naming line and option */
export function readCommandLines(text: string): CommandLine[] {
  return text.split(/\r?\n/).flatMap((line, index) => readCommandLine(line, `line ${index + 1}`) ?? []);
}

/** One line; none when it is blank or a comment. `where` names the line. @throws InvalidArgumentError, UnsupportedError */
export function readCommandLine(line: string, where: string): CommandLine | undefined {
  const words = line.replace(/(^|\s)#.*$/, '').trim();
  return words === '' ? undefined : readLine(words, where);
}

function readLine(line: string, where: string): CommandLine {
  const options = readOptions(line, where);
  const serviceOption = ['-t', '-u', '--sctp-service', '-f'].find((name) => options.has(name));
  const nameOf: FieldName = (field) => {
    const option = optionOf.get(field) ?? (field.startsWith('server') ? '-r' : serviceOption);
    return option === undefined ? where : `${where}: ${option}`;
  };
  return { command: readCommand(new Line(options, where, nameOf)), nameOf };
}

/** The options of each verb beside itself. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  '-A': ['-t', '-u', '--sctp-service', '-f', '-6', '-s', '-p', '-M', '-b', '-o'],
  '-E': ['-t', '-u', '--sctp-service', '-f', '-6', '-s', '-p', '-M', '-b', '-o'],
  '-D': ['-t', '-u', '--sctp-service', '-f', '-6'],
  '-C': [],
  '-a': ['-t', '-u', '--sctp-service', '-f', '-6', '-r', '-m', '-w', '-x', '-y'],
  '-e': ['-t', '-u', '--sctp-service', '-f', '-6', '-r', '-m', '-w', '-x', '-y'],
  '-d': ['-t', '-u', '--sctp-service', '-f', '-6', '-r'],
  '--set': [],
};

function readCommand(line: Line): Command {
  switch (line.verb()) {
    case '-A':
      return addedService(line, 'addService');
    case '-E':
      return addedService(line, 'editService');
    case '-D':
      return { verb: 'deleteService', service: line.service() };
    case '-C':
      return { verb: 'clear' };
    case '-a':
      return addedServer(line, 'addServer');
    case '-e':
      return addedServer(line, 'editServer');
    case '-d': {
      const service = line.service();
      return { verb: 'deleteServer', service, server: line.server(service) };
    }
    default: {
      const [tcp = 0, tcpfin = 0, udp = 0] = line.numbers('--set');
      return { verb: 'setTimeouts', seconds: { tcp, tcpfin, udp } };
    }
  }
}

function addedService(line: Line, verb: 'addService' | 'editService'): Command {
  const service = line.service();
  return { verb, service, settings: readServiceSettings(line.serviceOptions(), service, line.nameOf) };
}

function addedServer(line: Line, verb: 'addServer' | 'editServer'): Command {
  const service = line.service();
  const server = line.server(service);
  line.requireMasquerading();
  return {
    verb,
    service,
    server,
    settings: readServerSettings({ ...line.weights(), address: server.address.text, port: server.port }, line.nameOf),
  };
}

/** The options of one line, by what they mean. */
class Line {
  readonly nameOf: FieldName;
  readonly #options: LineOptions;
  readonly #where: string;

  constructor(options: LineOptions, where: string, nameOf: FieldName) {
    this.#options = options;
    this.#where = where;
    this.nameOf = nameOf;
  }

  /** The one option that says what to do. Every other one must go with it. */
  verb(): string {
    const verbs = [...this.#options.keys()].filter((name) => name in allowed);
    const [verb, second] = verbs;
    if (verb === undefined)
      throw new InvalidArgumentError(this.#where, [...this.#options.keys()].join(' '), `has none of ${Object.keys(allowed).join(', ')}`);
    if (second !== undefined) throw new InvalidArgumentError(`${this.#where}: ${second}`, verb, 'is a command already, and a line has one');
    for (const name of this.#options.keys()) {
      const isAllowed = name === verb || name === '-n' || allowed[verb]?.includes(name);
      if (!isAllowed) throw new InvalidArgumentError(this.#where, name, `does not go with ${verb}`);
    }
    return verb;
  }

  service(): ServiceKey {
    const references = serviceProtocols.flatMap(([option, protocol]): ServiceRef[] => {
      const text = this.#value(option);
      return text === undefined ? [] : [{ protocol, ...this.#endpoint(option, text, 0) }];
    });
    const mark = this.#number('-f');
    if (mark !== undefined) references.push({ fwmark: mark, family: this.#options.has('-6') ? 'IPv6' : 'IPv4' });
    const [reference] = references;
    if (reference === undefined || references.length > 1)
      throw new InvalidArgumentError(this.#where, references.length, 'services are named, expected one by -t, -u, --sctp-service or -f');
    return readServiceKey(reference, this.nameOf);
  }

  /** A server without a port has that of the service. */
  server(service: ServiceKey): ServerKey {
    const text = this.#value('-r');
    if (text === undefined) throw new InvalidArgumentError(`${this.#where}: -r`, '', 'names no server');
    return readServerKey(this.#endpoint('-r', text, service.kind === 'address' ? service.port : 0), service, this.nameOf);
  }

  serviceOptions(): ServiceOptions {
    const scheduler = this.#value('-s');
    const flags = this.#value('-b')?.split(',');
    const netmask = this.#value('-M');
    const timeout = this.#number('-p') ?? DEFAULT_PERSISTENCE_SECONDS;
    if (netmask !== undefined && !this.#options.has('-p'))
      throw new InvalidArgumentError(`${this.#where}: -M`, netmask, 'does not go without -p');
    return {
      ...(scheduler === undefined ? {} : { scheduler }),
      ...(flags === undefined ? {} : { flags }),
      ...(this.#options.has('-p') ? { persistence: { timeout, ...(netmask === undefined ? {} : { netmask }) } } : {}),
      onePacket: this.#options.has('-o'),
    };
  }

  weights(): Omit<ServerOptions, 'address' | 'port'> {
    return { weight: this.#number('-w') ?? 1, upperThreshold: this.#number('-x') ?? 0, lowerThreshold: this.#number('-y') ?? 0 };
  }

  /** ipvsadm's default is direct routing. */
  requireMasquerading(): void {
    if (this.#options.has('-m')) return;
    throw new UnsupportedError(
      `${this.#where}: without -m a server is for direct routing (-g), which is not supported, only masquerading is`,
    );
  }

  numbers(option: string): number[] {
    return (this.#options.get(option) ?? []).map((text) => this.#readNumber(option, text, MAX_U32));
  }

  #number(option: string): number | undefined {
    return this.numbers(option)[0];
  }

  #value(option: string): string | undefined {
    return this.#options.get(option)?.[0];
  }

  /** `10.0.0.1:80`, `[fd00::1]:80`, or an address alone. */
  #endpoint(option: string, text: string, defaultPort: number): { address: string; port: number } {
    const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+))(?::([^:]*))?$/.exec(text) ?? [];
    const address = bracketed ?? plain ?? text;
    return { address, port: port === undefined ? defaultPort : this.#readNumber(option, port, MAX_PORT) };
  }

  #readNumber(option: string, text: string, highest: number): number {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (value <= highest) return value;
    throw new InvalidArgumentError(`${this.#where}: ${option}`, text, `is not a number from 0 to ${highest}`);
  }
}
