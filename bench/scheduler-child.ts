// One IPVS scheduler on both engines, with lists of several lengths: begins connections, and sends packets of those that stand. It answers
// its parent, which gives all schedulers rounds in turn.
import { VERDICT_LAYOUT } from 'svcplane';
import { settleConfig } from '../src/api/settings.ts';
import type { Engine, EngineBatch } from '../src/engine/engine.ts';
import { nodeIpvsSysctls } from '../src/engine/ipvs-sysctls.ts';
import { createJsEngine } from '../src/engine/js/engine.ts';
import { startCoreSync } from '../src/engine/wasm/core.ts';
import { embeddedCore } from '../src/engine/wasm/embedded-core.ts';
import { WasmEngine } from '../src/engine/wasm/engine.ts';
import type { SchedulerName } from '../src/ipvs/keys.ts';
import type { Program } from '../src/program/program.ts';
import { CLOCKS } from './clocks.ts';
import type { Clock } from './messages.ts';
import { type Destination, TCP_ACK, TCP_SYN, TCP_SYN_ACK, writeAnswers, writeClientPacket, writeTcpFlags } from './packets.ts';

export interface SchedulerSetup {
  readonly scheduler: SchedulerName;
  /** Numbers of servers. */
  readonly sizes: readonly number[];
}

/** Nanoseconds a packet of one round. */
export interface SchedulerRound {
  readonly size: number;
  readonly engine: 'wasm' | 'js';
  /** The first packet of a connection. */
  readonly first: number;
  /** A packet of one that stands. */
  readonly established: number;
}

const BATCH = 256;
/** Connections of a round: whole batches. */
const CONNECTIONS = 8 * BATCH;
const PASSES: Readonly<Record<SchedulerRound['engine'], number>> = { wasm: 16, js: 2 };
/** After this long no connection is left. */
const FORGET_MS = 30 * 24 * 3600 * 1000;

const SERVICE: Destination = { address: 0x0a60000a, port: 80 };
const SERVERS = 0x0af40001; // 10.244.0.1

const VERDICT = VERDICT_LAYOUT.IPv4;

/** A node with nothing but one virtual service. */
function programOf(scheduler: SchedulerName, size: number): Program {
  // A server of ovf is full when its weight is reached: there is room for all, and none to spare.
  const weight = scheduler === 'ovf' ? Math.ceil(CONNECTIONS / size) : 1;
  const destinations = Array.from({ length: size }, (_, index) => {
    const address = SERVERS + index;
    return { address: [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.'), port: 8080, weight };
  });
  return {
    family: 'IPv4',
    tables: [],
    sets: [],
    maps: [],
    virtualServices: [{ protocol: 'TCP', address: '10.96.0.10', port: 80, scheduler, flags: [], destinations, servicePort: 'bench/web' }],
    localAddresses: ['10.96.0.10'],
  };
}

class Node {
  readonly size: number;
  readonly engine: SchedulerRound['engine'];
  readonly #engine: Engine;
  readonly #batches: readonly EngineBatch[];
  readonly #replies: EngineBatch;
  #now = 1000;

  constructor(engine: SchedulerRound['engine'], scheduler: SchedulerName, size: number) {
    this.size = size;
    this.engine = engine;
    const { timeouts, tcpLoose } = settleConfig({ mode: 'ipvs' });
    const options = { seed: 1, conntrackMax: 2 * CONNECTIONS, timeouts, tcpLoose, ipvsSysctls: nodeIpvsSysctls('ipvs') };
    this.#engine = engine === 'js' ? createJsEngine(options) : new WasmEngine(startCoreSync(embeddedCore()), options);
    this.#engine.load(programOf(scheduler, size));
    this.#replies = this.#engine.createBatch('IPv4', BATCH);
    this.#batches = Array.from({ length: CONNECTIONS / BATCH }, (_, number) => {
      const batch = this.#engine.createBatch('IPv4', BATCH);
      for (let index = 0; index < BATCH; index++) writeClientPacket(batch.packetWords(), index, number * BATCH + index, SERVICE, TCP_SYN);
      return batch;
    });
  }

  round(clock: Clock): SchedulerRound {
    const timed = (run: () => void) => {
      const start = CLOCKS[clock]();
      run();
      return CLOCKS[clock]() - start;
    };
    const passes = PASSES[this.engine];
    let first = 0;
    for (let pass = 0; pass < passes; pass++) {
      this.forget();
      first += timed(() => this.send());
    }
    this.shakeHands();
    let established = 0;
    for (let pass = 0; pass < passes; pass++) established += timed(() => this.send());
    const perPacket = (ms: number) => (ms * 1e6) / (passes * CONNECTIONS);
    for (const batch of this.#batches) writeTcpFlags(batch.packetWords(), BATCH, TCP_SYN);
    return { size: this.size, engine: this.engine, first: perPacket(first), established: perPacket(established) };
  }

  /** The servers that a fresh node gives its connections, as words of the verdicts. */
  choices(): number[] {
    this.forget();
    this.send();
    return this.#batches.flatMap((batch) => {
      const words = batch.verdictWords();
      return Array.from({ length: BATCH }, (_, index) => words[index * VERDICT.words + VERDICT.destinationWord] ?? 0);
    });
  }

  send(): void {
    for (const batch of this.#batches) this.#engine.processBatch(batch, BATCH, this.#now);
  }

  forget(): void {
    this.#now += FORGET_MS;
    this.#engine.processBatch(this.#replies, 0, this.#now);
    const { connections } = this.#engine.counters(this.#now);
    if (connections !== 0) throw new Error(`${connections} connections are left`);
  }

  /** Servers answer, clients acknowledge: the connections of the last pass stand, and the batches hold packets of them. */
  shakeHands(): void {
    for (const batch of this.#batches) {
      writeAnswers(batch.verdictWords(), this.#replies.packetWords(), BATCH, TCP_SYN_ACK);
      this.#engine.processBatch(this.#replies, BATCH, this.#now);
      writeTcpFlags(batch.packetWords(), BATCH, TCP_ACK);
    }
    const before = this.#engine.counters(this.#now).established;
    this.send();
    const established = this.#engine.counters(this.#now).established - before;
    if (established !== CONNECTIONS) throw new Error(`${established} of ${CONNECTIONS} connections stand`);
  }
}

/** Both engines for each size, after a look at whether they choose alike. @throws Error */
function prepare({ scheduler, sizes }: SchedulerSetup): readonly Node[] {
  return sizes.flatMap((size) => {
    const [wasm, js] = [new Node('wasm', scheduler, size), new Node('js', scheduler, size)];
    const expected = js.choices();
    wasm.choices().forEach((choice, index) => {
      if (choice !== expected[index]) throw new Error(`${scheduler} with ${size} servers: connection ${index} differs between the engines`);
    });
    return [wasm, js];
  });
}

const setup: SchedulerSetup = JSON.parse(process.argv[2] ?? '');
const nodes = prepare(setup);
process.on('disconnect', () => process.exit());
process.on('message', (clock: Clock) => process.send?.(nodes.map((node) => node.round(clock))));
process.send?.('ready');
