// Ties the parts: objects into the state, the state into Programs, Programs into the engine, packets through it.
// It takes any engine: the entries of the package choose one.
import { type Family, familyOfWords, parseAddressWords } from './address.ts';
import { givenObjects, givenRefs } from './api/given-objects.ts';
import { keyOf, refOf } from './api/kinds.ts';
import { readWatchedObject, type WatchedObject } from './api/read-object.ts';
import { FAMILIES } from './api/service.ts';
import { type Settings, settleConfig } from './api/settings.ts';
import type { KubernetesObject, ObjectRef } from './api/types.ts';
import { type Compiler, createCompiler } from './compile/compile.ts';
import { localAddresses } from './compile/node-addresses.ts';
import { compileOptionsFor } from './compile/node-options.ts';
import type { CompileOptions } from './compile/options.ts';
import type {
  Counters,
  Dataplane,
  DataplaneOptions,
  Explanation,
  FrameRing,
  FrameRingOptions,
  PacketBatch,
  Rendered,
  ServicePortView,
  Trace,
} from './dataplane-types.ts';
import type { Engine, EngineChoice, EngineOptions, TrackedConnection } from './engine/engine.ts';
import type { EngineFrameRing } from './engine/frame-ring.ts';
import { nodeIpvsSysctls } from './engine/ipvs-sysctls.ts';
import { DisposedError, InvalidArgumentError, UnsupportedError } from './errors.ts';
import { explainPacket } from './explain/explain.ts';
import { tracePacket } from './explain/trace.ts';
import { EngineBackedFrameRing, ringShape } from './frame-ring.ts';
import { clockOption, functionOption, requireKnownOptions } from './known-options.ts';
import type { Packet, ProxyMode, Verdict } from './packet.ts';
import { EnginePacketBatch } from './packet-batch.ts';
import { type Dump, dumpedProgram, parseIptablesSave } from './parse/iptables-save.ts';
import type { Program } from './program/program.ts';
import { render } from './render/render.ts';
import type { ExpectedState } from './state/expected-state.ts';
import { type ClusterState, createState } from './state/state.ts';
import { servicePortViews } from './state/views.ts';

/** Checked options. */
export interface Start {
  readonly settings: Settings;
  readonly engineChoice: EngineChoice;
  readonly engineOptions: EngineOptions;
  readonly now: () => number;
  readonly onWarning: (message: string) => void;
  /** The tables of a dump, which then take the place of all objects. */
  readonly dumped?: Dump;
}

const OPTIONS: readonly (keyof DataplaneOptions)[] = [
  'mode',
  'engine',
  'nodeName',
  'nodeIPs',
  'config',
  'serviceCIDRs',
  'rules',
  'lenient',
  'host',
  'sysctls',
  'conntrackMax',
  'seed',
  'now',
  'onWarning',
];

/** Checks the options. @throws InvalidArgumentError, UnsupportedError, RulesError */
export function prepare(options: DataplaneOptions): Start {
  requireKnownOptions(options, OPTIONS);
  const settings = settleConfig(options);
  const onWarning = functionOption('onWarning', options.onWarning, () => {});
  const dumped = options.rules === undefined ? undefined : readDump(options.rules, settings.mode, options.lenient ?? false, onWarning);
  const engineChoice = options.engine ?? 'auto';
  if (!['auto', 'wasm', 'js'].includes(engineChoice))
    throw new InvalidArgumentError('engine', engineChoice, 'is not one of auto, wasm, js');
  // As unguessable as a seed of 32 bits can be whose choices anybody sees; Web Crypto would take Node four milliseconds to load.
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff)
    throw new InvalidArgumentError('seed', seed, 'is not an integer of 32 bits');
  return {
    settings,
    engineChoice,
    engineOptions: {
      seed,
      conntrackMax: settings.conntrackMax,
      timeouts: settings.timeouts,
      tcpLoose: settings.tcpLoose,
      ipvsSysctls: nodeIpvsSysctls(settings.mode, options.sysctls),
    },
    now: clockOption('now', options.now, () => performance.now()),
    onWarning,
    ...(dumped === undefined ? {} : { dumped }),
  };
}

function readDump(rules: string, mode: ProxyMode, isLenient: boolean, onWarning: (message: string) => void): Dump {
  if (mode !== 'iptables') throw new UnsupportedError(`option rules: a dump of iptables-save is run in iptables mode, not in ${mode}`);
  return parseIptablesSave(rules, isLenient ? { onUnmodelled: (problem) => onWarning(problem.message) } : {});
}

export class NodeDataplane implements Dataplane {
  readonly mode: ProxyMode;
  readonly engine: 'wasm' | 'js';
  readonly seed: number;
  /** Undefined once it is disposed: its memory goes, whoever still holds the dataplane. */
  #engine: Engine | undefined;
  readonly #settings: Settings;
  readonly #dumped: Dump | undefined;
  readonly #now: () => number;
  readonly #state: ClusterState;
  /** The watched objects in force, to go back to when a change cannot be compiled. */
  readonly #objects = new Map<string, WatchedObject>();
  readonly #compilers: Readonly<Record<Family, Compiler>>;
  readonly #ignored = new Map<string, string>();
  readonly #programs = new Map<Family, LoadedProgram>();
  readonly #single = new Map<Family, EnginePacketBatch>();

  constructor(engine: Engine, start: Start) {
    this.#engine = engine;
    this.#settings = start.settings;
    this.#dumped = start.dumped;
    this.#now = start.now;
    this.mode = start.settings.mode;
    this.engine = engine.kind;
    this.seed = start.engineOptions.seed;
    this.#compilers = { IPv4: createCompiler(this.mode), IPv6: createCompiler(this.mode) };
    this.#state = createState({ nodeName: start.settings.nodeName, features: start.settings.features });
    this.#reload();
  }

  apply(objects: Iterable<KubernetesObject>): void {
    const watched = new Map<string, WatchedObject>();
    const ignored = new Map<string, string>();
    for (const object of givenObjects(objects)) {
      const read = readWatchedObject(object);
      const key = keyOf(refOf(object));
      if (read === undefined) ignored.set(`${object.apiVersion} ${key}`, object.kind);
      else watched.set(key, read);
    }
    if (this.#dumped !== undefined && [...watched.values()].some(({ kind }) => kind !== 'Node')) {
      throw new UnsupportedError('a dataplane of dumped rules takes Nodes alone');
    }
    this.#change(watched, []);
    for (const [key, kind] of ignored) this.#ignored.set(key, kind);
  }

  delete(refs: Iterable<ObjectRef>): void {
    const list = givenRefs(refs);
    this.#change(new Map(), list);
    const gone = new Set(list.map(keyOf));
    for (const key of [...this.#ignored.keys()]) if (gone.has(key.slice(key.indexOf(' ') + 1))) this.#ignored.delete(key);
  }

  /** All of the change, or, when it cannot be compiled, none of it. */
  #change(applied: ReadonlyMap<string, WatchedObject>, deleted: readonly ObjectRef[]): void {
    this.#live();
    this.#state.apply(applied.values());
    this.#state.delete(deleted);
    try {
      this.#reload();
    } catch (error) {
      for (const key of [...applied.keys(), ...deleted.map(keyOf)]) {
        const object = this.#objects.get(key);
        if (object !== undefined) this.#state.apply([object]);
        else this.#state.delete([refOfKey(key)]);
      }
      this.#reload();
      throw error;
    }
    for (const [key, object] of applied) this.#objects.set(key, object);
    for (const ref of deleted) this.#objects.delete(keyOf(ref));
    this.#cleanConntrack();
  }

  /** Compiles what changed and puts it in force: both families are compiled before either is loaded. */
  #reload(): void {
    const { node, serviceCIDRs } = this.#state;
    const changed = FAMILIES.flatMap((family) => {
      const expected = this.#state.expectedState(family);
      const from = [expected, node, serviceCIDRs];
      const known = this.#programs.get(family)?.from;
      if (known !== undefined && from.every((part, index) => part === known[index])) return [];
      return [{ from, program: this.#programOf(expected, compileOptionsFor(this.#settings, family, node, serviceCIDRs)) }];
    });
    if (changed.length === 0) return;
    const engine = this.#live();
    const now = this.#now();
    for (const { program, from } of changed) {
      engine.load(program, now);
      this.#programs.set(program.family, { program, from });
    }
  }

  #programOf(expected: ExpectedState, options: CompileOptions): Program {
    if (this.#dumped === undefined) return this.#compilers[expected.family](expected, options);
    const [masqueradeAddress] = options.nodeAddresses;
    return dumpedProgram(expected.family, this.#dumped[expected.family], {
      localAddresses: localAddresses(expected.family, options.nodeAddresses),
      ...(masqueradeAddress === undefined ? {} : { masqueradeAddress }),
    });
  }

  /** kube-proxy removes UDP connections to endpoints that went away; TCP ends by itself. */
  #cleanConntrack(): void {
    for (const family of FAMILIES) {
      const cleanup = this.#state.takeConntrackCleanup(family);
      if (cleanup !== undefined) this.#live().deleteConnections(this.#now(), (connection) => cleanup.isStaleUdp(connection));
    }
  }

  servicePorts(): readonly ServicePortView[] {
    this.#live();
    return servicePortViews(this.#state);
  }

  process(packet: Packet): Verdict {
    const batch = this.#singleBatch(familyOf(packet));
    batch.set(0, packet);
    batch.count = 1;
    this.processBatch(batch);
    return batch.verdict(0);
  }

  explain(packet: Packet): Explanation {
    const program = this.#programFor(packet);
    return explainPacket(program, packet, this.#live().view(program.family, this.#now()));
  }

  trace(packet: Packet): Trace {
    const program = this.#programFor(packet);
    const now = this.#now();
    return tracePacket(program, packet, this.#live().view(program.family, now), { now, tcpLoose: this.#settings.tcpLoose });
  }

  createBatch(capacity: number, options: { readonly family?: Family } = {}): PacketBatch {
    if (!Number.isInteger(capacity) || capacity < 1) throw new InvalidArgumentError('capacity', capacity, 'is not a positive integer');
    const { family = 'IPv4' } = options;
    if (!FAMILIES.includes(family)) throw new InvalidArgumentError('family', family, 'is not one of IPv4, IPv6');
    return this.#newBatch(family, capacity);
  }

  processBatch(batch: PacketBatch): void {
    const engine = this.#live();
    if (!(batch instanceof EnginePacketBatch && batch.engine === engine))
      throw new InvalidArgumentError('batch', typeof batch, 'was not made by createBatch of this dataplane');
    engine.processBatch(batch.memory, batch.count, this.#now());
  }

  createFrameRing(capacity: number, options: FrameRingOptions = {}): FrameRing {
    const shape = ringShape(capacity, options);
    const { transmit } = options;
    const engine = this.#live();
    const memory = engine.createFrameRing(shape, transmit === undefined ? undefined : this.#ringMemory('transmit', transmit));
    return new EngineBackedFrameRing(engine, memory, transmit);
  }

  processFrames(ring: FrameRing): void {
    this.#live().processFrames(this.#ringMemory('ring', ring), this.#now());
  }

  connections(): IterableIterator<TrackedConnection> {
    return this.#live().connections(this.#now());
  }

  counters(): Counters {
    const engine = this.#live();
    const states = FAMILIES.map((family) => this.#state.expectedState(family));
    const ignoredObjects: Record<string, number> = {};
    for (const kind of this.#ignored.values()) ignoredObjects[kind] = (ignoredObjects[kind] ?? 0) + 1;
    return {
      ...engine.counters(this.#now()),
      servicePorts: states.reduce((sum, state) => sum + state.servicePorts.length, 0),
      endpoints: states.reduce((sum, state) => sum + state.endpointCount, 0),
      frames: engine.frameCounters(),
      traffic: engine.traffic(),
      ignoredObjects,
    };
  }

  render(): Rendered[] {
    this.#live();
    return FAMILIES.flatMap((family) => {
      const loaded = this.#programs.get(family);
      return loaded === undefined ? [] : render(this.mode, loaded.program);
    });
  }

  [Symbol.dispose](): void {
    this.#single.clear();
    this.#engine = undefined;
  }

  /** @throws DisposedError */
  #live(): Engine {
    if (this.#engine === undefined) throw new DisposedError('this dataplane is disposed');
    return this.#engine;
  }

  #singleBatch(family: Family): EnginePacketBatch {
    const known = this.#single.get(family);
    if (known !== undefined) return known;
    const batch = this.#newBatch(family, 1);
    this.#single.set(family, batch);
    return batch;
  }

  #newBatch(family: Family, capacity: number): EnginePacketBatch {
    const engine = this.#live();
    return new EnginePacketBatch(engine, engine.createBatch(family, capacity));
  }

  #ringMemory(name: string, ring: FrameRing): EngineFrameRing {
    if (!(ring instanceof EngineBackedFrameRing && ring.engine === this.#live()))
      throw new InvalidArgumentError(name, typeof ring, 'was not made by createFrameRing of this dataplane');
    return ring.memory;
  }

  #programFor(packet: Packet): Program {
    const loaded = this.#programs.get(familyOf(packet));
    if (loaded === undefined) throw new InvalidArgumentError('packet.source', packet.source, 'is of a family without a program');
    return loaded.program;
  }
}

interface LoadedProgram {
  readonly program: Program;
  readonly from: readonly unknown[];
}

function familyOf(packet: Packet): Family {
  const words = parseAddressWords(packet?.source);
  if (words === undefined) throw new InvalidArgumentError('packet.source', packet?.source, 'is not an IP address');
  return familyOfWords(words);
}

function refOfKey(key: string): ObjectRef {
  const [kind = '', first = '', second] = key.split('/');
  return second === undefined ? { kind, name: first } : { kind, namespace: first, name: second };
}
