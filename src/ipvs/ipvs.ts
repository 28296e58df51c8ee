// `createIpvs`: checks what comes from outside, keeps the clock and the record of what was configured, and lets an engine do the rest.
import { type EngineRequest, type Engines, startEngine, startEngineSync } from '../engine/start.ts';
import { embeddedCore } from '../engine/wasm/embedded-core.ts';
import { DisposedError, InvalidArgumentError } from '../errors.ts';
import { clockOption, functionOption } from '../known-options.ts';
import { type Command, perform } from './commands.ts';
import type { IpvsEngine, IpvsEngineOptions } from './engine.ts';
import { createJsIpvs } from './js/engine.ts';
import { readPacket } from './read-packet.ts';
import { asPath, MAX_U32, readServerKey, readServiceKey, serviceRefOf } from './references.ts';
import { Registry } from './registry.ts';
import { readCommandLines } from './restore.ts';
import { saveText } from './save.ts';
import { readServerSettings, readServiceSettings } from './settings.ts';
import { readSysctl, settleSysctls } from './sysctls.ts';
import type {
  Ipvs,
  IpvsConnection,
  IpvsOptions,
  IpvsPacket,
  IpvsVerdict,
  ServerOptions,
  ServerRef,
  ServerState,
  ServiceOptions,
  ServiceRef,
} from './types.ts';
import { createWasmIpvs } from './wasm/engine.ts';
import { wholeNumber } from './whole-number.ts';

const MAX_TIMEOUT_SECONDS = 0x7fffffff;

/**
 * IPVS of one network namespace, without servers and packets of its own.
 *
 * @throws InvalidArgumentError for an option that makes no sense, UnsupportedError for a sysctl that is not modelled, CoreError when
 * `engine: 'wasm'` cannot start.
 *
 * @example
 * const ipvs = await createIpvs();
 * const web = { address: '10.96.0.10', port: 80 };
 * ipvs.addService({ protocol: 'TCP', ...web }, { scheduler: 'rr' });
 * ipvs.addServer({ protocol: 'TCP', ...web }, { address: '10.0.0.1', port: 8080 });
 * ipvs.process({ protocol: 'TCP', source: '172.16.0.1', sourcePort: 2000, destination: '10.96.0.10', destinationPort: 80 });
 * // { action: 'FORWARD', server: { address: '10.0.0.1', port: 8080 } }
 */
export async function createIpvs(options: IpvsOptions = {}): Promise<Ipvs> {
  const { request, now } = prepare(options);
  return new NamespaceIpvs(await startEngine(ENGINES, request, embeddedCore), request.engineOptions.seed, now);
}

/** The same at once, for Node and workers; some pages allow only small WebAssembly modules here. */
export function createIpvsSync(options: IpvsOptions = {}): Ipvs {
  const { request, now } = prepare(options);
  return new NamespaceIpvs(startEngineSync(ENGINES, request, embeddedCore), request.engineOptions.seed, now);
}

const ENGINES: Engines<IpvsEngine, IpvsEngineOptions> = { makeWasm: createWasmIpvs, makeJs: createJsIpvs };

interface Prepared {
  readonly request: EngineRequest<IpvsEngineOptions>;
  readonly now: () => number;
}

function prepare(options: IpvsOptions): Prepared {
  const { engine: engineChoice = 'auto', sysctls = {}, conntrackHooks = false } = options;
  if (engineChoice !== 'auto' && engineChoice !== 'wasm' && engineChoice !== 'js')
    throw new InvalidArgumentError('options.engine', engineChoice, 'is not one of auto, wasm, js');
  const seed = wholeNumber(options.seed ?? randomSeed(), 0, MAX_U32, 'options.seed');
  const engineOptions: IpvsEngineOptions = { seed, sysctls: settleSysctls(sysctls), hasConntrackHooks: conntrackHooks };
  const onWarning = functionOption('options.onWarning', options.onWarning, () => {});
  const now = clockOption('options.now', options.now, () => performance.now());
  return { request: { engineChoice, engineOptions, onWarning }, now };
}

/** The public verbs over an engine that exists: for tests that look into one. */
export function ipvsOver(engine: IpvsEngine, seed: number, now: () => number): Ipvs {
  return new NamespaceIpvs(engine, seed, now);
}

function randomSeed(): number {
  return Math.floor(Math.random() * (MAX_U32 + 1));
}

class NamespaceIpvs implements Ipvs {
  readonly engine: 'wasm' | 'js';
  readonly seed: number;
  /** Undefined once it is disposed: its memory goes, whoever still holds this. */
  #engine: IpvsEngine | undefined;
  readonly #now: () => number;
  readonly #start: number;
  #registry = new Registry();
  /** Milliseconds since the start; never runs backwards, whatever the clock does. */
  #elapsed = 0;

  constructor(engine: IpvsEngine, seed: number, now: () => number) {
    this.engine = engine.name;
    this.#engine = engine;
    this.seed = seed;
    this.#now = now;
    this.#start = now();
  }

  addService(service: ServiceRef, options: ServiceOptions = {}): void {
    this.#setService('addService', service, options);
  }

  editService(service: ServiceRef, options: ServiceOptions): void {
    this.#setService('editService', service, options);
  }

  deleteService(service: ServiceRef): void {
    this.#run({ verb: 'deleteService', service: readServiceKey(service, asPath) });
  }

  services(): readonly ServiceRef[] {
    this.#live();
    return Array.from(this.#registry.services(), ({ key }) => serviceRefOf(key));
  }

  clear(): void {
    this.#run({ verb: 'clear' });
  }

  addServer(service: ServiceRef, server: ServerOptions): void {
    this.#setServer('addServer', service, server);
  }

  editServer(service: ServiceRef, server: ServerOptions): void {
    this.#setServer('editServer', service, server);
  }

  deleteServer(service: ServiceRef, server: ServerRef): void {
    const key = readServiceKey(service, asPath);
    this.#run({ verb: 'deleteServer', service: key, server: readServerKey(server, key, asPath) });
  }

  setTimeouts(seconds: { readonly tcp?: number; readonly tcpfin?: number; readonly udp?: number }): void {
    const read = (name: 'tcp' | 'tcpfin' | 'udp') => wholeNumber(seconds[name] ?? 0, 0, MAX_TIMEOUT_SECONDS, `seconds.${name}`);
    this.#run({ verb: 'setTimeouts', seconds: { tcp: read('tcp'), tcpfin: read('tcpfin'), udp: read('udp') } });
  }

  setSysctl(name: string, value: number): void {
    const engine = this.#live();
    const heeded = readSysctl(name, value, name);
    engine.advance(this.#moment());
    if (heeded !== undefined) engine.setSysctl(heeded, value);
  }

  process(packet: IpvsPacket): IpvsVerdict {
    return this.#live().process(readPacket(packet), this.#moment());
  }

  servers(service: ServiceRef): ServerState[] {
    const engine = this.#live();
    const { key } = this.#registry.service(readServiceKey(service, asPath), asPath);
    engine.advance(this.#moment());
    return engine.servers(key);
  }

  connections(): IterableIterator<IpvsConnection> {
    const engine = this.#live();
    engine.advance(this.#moment());
    return engine.connections().values();
  }

  save(): string {
    this.#live();
    return saveText(this.#registry.services());
  }

  restore(text: string): void {
    const engine = this.#live();
    const lines = readCommandLines(text);
    const trial = this.#registry.copy();
    for (const { command, nameOf } of lines) trial.apply(command, nameOf);
    this.#registry = trial;
    engine.advance(this.#moment());
    for (const { command } of lines) perform(engine, command);
  }

  [Symbol.dispose](): void {
    this.#engine = undefined;
  }

  /** @throws DisposedError */
  #live(): IpvsEngine {
    if (this.#engine === undefined) throw new DisposedError('this IPVS is disposed');
    return this.#engine;
  }

  #setService(verb: 'addService' | 'editService', ref: ServiceRef, options: ServiceOptions): void {
    const service = readServiceKey(ref, asPath);
    this.#run({ verb, service, settings: readServiceSettings(options, service, asPath) });
  }

  #setServer(verb: 'addServer' | 'editServer', ref: ServiceRef, options: ServerOptions): void {
    const service = readServiceKey(ref, asPath);
    this.#run({ verb, service, server: readServerKey(options, service, asPath), settings: readServerSettings(options, asPath) });
  }

  #run(command: Command): void {
    const engine = this.#live();
    const moment = this.#moment();
    this.#registry.apply(command, asPath);
    engine.advance(moment);
    perform(engine, command);
  }

  #moment(): number {
    this.#elapsed = Math.max(this.#elapsed, Math.floor(this.#now() - this.#start));
    return this.#elapsed;
  }
}
