// Two engines, one truth, for frames: random clusters and frames of both families from a printed seed, whole and mutated, in place
// and through a transmit ring. The engines must agree byte for byte, record for record and count for count; whatever passes unharmed
// keeps right checksums.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Dataplane, FrameRing } from '../../src/dataplane-types.ts';
import { FRAME_LAYOUT } from '../../src/engine/frame-layout.ts';
import type { FrameCounters } from '../../src/engine/frame-ring.ts';
import type { ProxyMode } from '../../src/packet.ts';
import { buildError, buildFrame, type FrameSpec } from '../frames/frame-builder.ts';
import { wrongChecksums } from '../frames/whole-checksums.ts';
import { type AddressPlan, frontendsOf, NODE, objectsOf, PLANS, type RandomService, randomService } from './clusters.ts';

const CAPACITY = 8;
const FRAME_BYTES = 400;

interface Mutation {
  /** Bytes at shares of the frame's length get new values. */
  readonly bytes: readonly { readonly at: number; readonly value: number }[];
  /** Bits of the headers alone. */
  readonly bits: readonly { readonly at: number; readonly bit: number }[];
  readonly keep: number;
  readonly isCut: boolean;
}

type Command =
  | {
      readonly kind: 'frame';
      readonly isV6: boolean;
      readonly service: number;
      readonly frontend: number;
      readonly client: number;
      readonly port: number;
      readonly flags: number;
      readonly shape: Pick<FrameSpec, 'vlans' | 'payload' | 'chunks' | 'options' | 'extensions' | 'noChecksum' | 'fragment'>;
    }
  /** What answers to a frame that passed, or repeats the one that came. */
  | { readonly kind: 'follow'; readonly back: number; readonly isReply: boolean; readonly flags: number }
  /** An ICMP error about a frame that passed, or about one that came. */
  | { readonly kind: 'error'; readonly back: number; readonly aboutSent: boolean; readonly type: number; readonly quoted: number }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'run' };

const mutation: fc.Arbitrary<Mutation | undefined> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record({
      bytes: fc.array(fc.record({ at: fc.nat(120), value: fc.nat(255) }), { maxLength: 2 }),
      bits: fc.array(fc.record({ at: fc.nat(90), bit: fc.nat(7) }), { maxLength: 2 }),
      keep: fc.nat(120),
      isCut: fc.boolean(),
    }),
  },
);

const flags = fc.constantFrom(2, 2, 16, 18, 17, 4, 24);

const shape = fc.record(
  {
    vlans: fc.constantFrom([], [], [], [0x8100], [0x88a8, 0x8100], [0x9100], [0x8100, 0x8100, 0x8100]),
    payload: fc.nat(60),
    chunks: fc.array(fc.oneof(fc.nat(15), fc.nat(255)), { maxLength: 10 }),
    options: fc.constantFrom(0, 0, 4, 40),
    extensions: fc.constantFrom([], [], [], [0], [60, 43], [59]),
    noChecksum: fc.boolean(),
  },
  { requiredKeys: [] },
);
const fragment = fc.constantFrom(0x4000, 0, 0x2000, 1);

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('frame' as const),
      isV6: fc.boolean(),
      service: fc.nat(3),
      frontend: fc.nat(9),
      client: fc.nat(6),
      port: fc.constantFrom(1000, 1001, 40000),
      flags,
      shape: fc.oneof(
        { weight: 9, arbitrary: shape },
        { weight: 1, arbitrary: fc.tuple(shape, fragment).map(([one, bits]) => ({ ...one, fragment: bits })) },
      ),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('follow' as const), back: fc.nat(6), isReply: fc.boolean(), flags }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('error' as const),
      back: fc.nat(6),
      aboutSent: fc.boolean(),
      type: fc.constantFrom(1, 2, 3, 5, 8, 11),
      quoted: fc.constantFrom(28, 40, 48, 60, 400),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.constantFrom(1, 3000, 61_000, 130_000) }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'run' as const }) },
);

/** One dataplane with a ring in place and a ring that transmits, fed in turn. */
class Side {
  readonly dataplane: Dataplane;
  readonly inPlace: FrameRing;
  readonly transmit: FrameRing;
  readonly through: FrameRing;

  constructor(engine: 'wasm' | 'js', mode: ProxyMode, seed: number, conntrackMax: number, now: () => number) {
    const nodeIPs = [...PLANS.IPv4.node, ...PLANS.IPv6.node];
    this.dataplane = createDataplaneSync({
      mode,
      engine,
      seed,
      nodeName: NODE,
      nodeIPs,
      conntrackMax,
      config: { clusterCIDR: '10.0.0.0/8' },
      now,
    });
    this.inPlace = this.dataplane.createFrameRing(CAPACITY, { frameBytes: FRAME_BYTES });
    this.transmit = this.dataplane.createFrameRing(CAPACITY, { frameBytes: FRAME_BYTES });
    this.through = this.dataplane.createFrameRing(CAPACITY, { frameBytes: FRAME_BYTES, transmit: this.transmit, fragments: 'pass' });
  }

  ring(isInPlace: boolean): FrameRing {
    return isInPlace ? this.inPlace : this.through;
  }

  run(isInPlace: boolean, frames: readonly Uint8Array[]): void {
    const ring = this.ring(isInPlace);
    frames.forEach((frame, index) => {
      ring.set(index, frame);
    });
    ring.count = frames.length;
    this.dataplane.processFrames(ring);
  }
}

/** All bytes and all words of a ring; ServicePorts by name, for each engine numbers them as it meets them. */
function contents(ring: FrameRing): unknown {
  const records = ring.words.slice(0, ring.count * FRAME_LAYOUT.words);
  const frames = Array.from({ length: ring.count }, (_, index) => {
    records[index * FRAME_LAYOUT.words + FRAME_LAYOUT.servicePortWord] = 0;
    return { bytes: ring.frame(index).slice(), result: ring.result(index) };
  });
  return { count: ring.count, frames, records };
}

function mutated(frame: Uint8Array, how: Mutation | undefined): Uint8Array {
  if (how === undefined) return frame;
  const changed = frame.slice(0, how.isCut ? how.keep : frame.length);
  for (const { at, value } of how.bytes) if (at < changed.length) changed[at] = value;
  for (const { at, bit } of how.bits) if (at < changed.length) changed[at] = (changed[at] ?? 0) ^ (1 << bit);
  return changed;
}

interface Passed {
  /** What the frame was like, and as it left. */
  readonly spec: FrameSpec;
  readonly came: Uint8Array;
  left: Uint8Array | undefined;
}

class Story {
  now = 1000;
  readonly #sides: readonly [Side, Side];
  readonly #services: readonly { readonly number: number; readonly service: RandomService; readonly plan: AddressPlan }[];
  readonly #passed: Passed[] = [];
  #pending: { readonly frame: Uint8Array; readonly passed: Passed | undefined; readonly isWhole: boolean }[] = [];
  #isInPlace = true;

  constructor(mode: ProxyMode, seed: number, conntrackMax: number, services: readonly RandomService[]) {
    const side = (engine: 'wasm' | 'js'): Side => new Side(engine, mode, seed, conntrackMax, () => this.now);
    this.#sides = [side('wasm'), side('js')];
    this.#services = services.flatMap((service, number) =>
      Object.values(PLANS).map((plan, family) => ({ number: number * 2 + family, service, plan })),
    );
    for (const { dataplane } of this.#sides)
      dataplane.apply(this.#services.flatMap(({ number, service, plan }) => objectsOf(number, service, plan)));
  }

  act(step: Command, how: Mutation | undefined): void {
    if (step.kind === 'advance') {
      this.run();
      this.now += step.ms;
    } else if (step.kind === 'run') this.run();
    else if (step.kind === 'frame') this.#frame(step, how);
    else if (step.kind === 'follow') this.#follow(step, how);
    else this.#error(step, how);
    if (this.#pending.length === CAPACITY) this.run();
  }

  #frame(step: Extract<Command, { kind: 'frame' }>, how: Mutation | undefined): void {
    const ofFamily = this.#services.filter(({ plan }) => plan.family === (step.isV6 ? 'IPv6' : 'IPv4'));
    const chosen = ofFamily[step.service % ofFamily.length];
    if (chosen === undefined) return;
    const { number, service, plan } = chosen;
    const targets = [...frontendsOf(number, service, plan), { address: plan.clusterIP(number), port: 81 }];
    const clients = [plan.pod(0), plan.pod(1), plan.pod(50), ...plan.node, ...plan.outside];
    const target = targets[step.frontend % targets.length];
    const spec: FrameSpec = {
      protocol: service.protocol,
      source: clients[step.client % clients.length] ?? '',
      sourcePort: step.port,
      destination: target?.address ?? '',
      destinationPort: target?.port ?? 0,
      tcpFlags: step.flags,
      ...step.shape,
    };
    this.#add(spec, buildFrame(spec), how);
  }

  #follow({ back, isReply, flags: tcpFlags }: Extract<Command, { kind: 'follow' }>, how: Mutation | undefined): void {
    this.run();
    const before = this.#passed.at(-1 - back);
    if (before === undefined) return;
    const plain: FrameSpec = { ...before.spec, tcpFlags };
    if (!isReply) this.#add(plain, buildFrame(plain), how);
    else if (before.left !== undefined) {
      const answer = answerTo(before.left, plain);
      if (answer !== undefined) this.#add(answer, buildFrame(answer), how);
    }
  }

  #error({ back, aboutSent, type, quoted }: Extract<Command, { kind: 'error' }>, how: Mutation | undefined): void {
    this.run();
    const before = this.#passed.at(-1 - back);
    const about = aboutSent ? before?.left : before?.came;
    if (before === undefined || about === undefined) return;
    const packet = about.subarray(14 + (before.spec.vlans?.length ?? 0) * 4);
    const isV6 = before.spec.source.includes(':');
    const router = isV6 ? '2001:db8:9::9' : '192.0.2.9';
    const [to] = endpointsOf(packet);
    const frame = buildError({ source: router, destination: to, type, about: packet, quotedBytes: isV6 ? quoted + 20 : quoted });
    this.#pending.push({ frame: mutated(frame, how), passed: undefined, isWhole: how === undefined });
  }

  #add(spec: FrameSpec, frame: Uint8Array, how: Mutation | undefined): void {
    this.#pending.push({
      frame: mutated(frame, how),
      passed: how === undefined ? { spec, came: frame, left: undefined } : undefined,
      isWhole: how === undefined,
    });
  }

  /** Sends what has gathered, through the one and the other kind of ring by turns. */
  run(): void {
    if (this.#pending.length === 0) return;
    const [wasm, js] = this.#sides;
    const isInPlace = this.#isInPlace;
    for (const side of this.#sides)
      side.run(
        isInPlace,
        this.#pending.map(({ frame }) => frame),
      );
    expect(contents(js.ring(isInPlace))).toEqual(contents(wasm.ring(isInPlace)));
    expect(contents(js.transmit)).toEqual(contents(wasm.transmit));
    for (const [index, { passed, isWhole }] of this.#pending.entries()) this.#look(index, passed, isWhole);
    this.#pending = [];
    this.#isInPlace = !isInPlace;
  }

  #look(index: number, passed: Passed | undefined, isWhole: boolean): void {
    const [wasm] = this.#sides;
    const ring = wasm.ring(this.#isInPlace);
    const result = ring.result(index);
    if (!result.passes) return;
    const left = this.#isInPlace ? ring.frame(index) : wasm.transmit.frame(result.peer ?? -1);
    if (isWhole && (result.kind === 'packet' || result.kind === 'related'))
      expect(wrongChecksums(left.subarray(networkOf(left)))).toEqual([]);
    if (passed === undefined || result.kind !== 'packet') return;
    passed.left = left.slice();
    this.#passed.push(passed);
  }

  /** What the frames of this story turned out to be. */
  compare(): FrameCounters {
    this.run();
    const [wasm, js] = this.#sides.map(({ dataplane }) => ({
      counters: { ...dataplane.counters(), memory: undefined },
      connections: [...dataplane.connections()].map((one) => JSON.stringify(one)).sort(),
    }));
    expect(js?.counters).toEqual(wasm?.counters);
    expect(js?.connections.length).toBe(wasm?.connections.length);
    return this.#sides[0].dataplane.counters().frames;
  }
}

function networkOf(frame: Uint8Array): number {
  let at = 12;
  while ([0x81, 0x88, 0x91].includes(frame[at] ?? 0)) at += 4;
  return at + 2;
}

/** Source and destination of an IP packet as text that the builder reads. */
function endpointsOf(packet: Uint8Array): [string, string] {
  const isV6 = packet[0] === 0x60;
  const text = (from: number): string =>
    isV6
      ? Array.from({ length: 8 }, (_, part) =>
          (((packet[from + part * 2] ?? 0) << 8) | (packet[from + part * 2 + 1] ?? 0)).toString(16),
        ).join(':')
      : packet.subarray(from, from + 4).join('.');
  return isV6 ? [text(8), text(24)] : [text(12), text(16)];
}

function answerTo(left: Uint8Array, spec: FrameSpec): FrameSpec | undefined {
  const packet = left.subarray(networkOf(left));
  const [source, destination] = endpointsOf(packet);
  const isV6 = packet[0] === 0x60;
  if (isV6 && ((spec.extensions?.length ?? 0) > 0 || spec.fragment !== undefined)) return undefined;
  const at = isV6 ? 40 : ((packet[0] ?? 0) & 15) * 4;
  const ports = new DataView(packet.buffer, packet.byteOffset + at, 4);
  return { ...spec, source: destination, sourcePort: ports.getUint16(2), destination: source, destinationPort: ports.getUint16(0) };
}

describe.each(['iptables', 'nftables', 'ipvs'] as const)('both engines in %s mode', (mode) => {
  test('agree on every byte of random frames, whole and mutated', () => {
    const seen: Record<string, number> = {};
    const given = fc.record({
      services: fc.array(randomService(true), { minLength: 1, maxLength: 3 }),
      commands: fc.array(fc.tuple(command, mutation), { minLength: 20, maxLength: 80, size: 'max' }),
      conntrackMax: fc.constantFrom(3, 1000),
    });
    // fast-check prints the seed and the shrunk case of a failure.
    fc.assert(
      fc.property(fc.integer({ min: 0 }), given, (seed, { services, commands, conntrackMax }) => {
        const story = new Story(mode, seed, conntrackMax, services);
        for (const [step, how] of commands) story.act(step, how);
        for (const [kind, count] of Object.entries(story.compare())) seen[kind] = (seen[kind] ?? 0) + count;
      }),
      { numRuns: 60 },
    );
    expect(Object.entries(seen).filter(([, count]) => count === 0)).toEqual([]);
  });
});
