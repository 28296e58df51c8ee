// What may be asked of IPVS, at random: few addresses and ports, so that tuples meet again; the model knows what was configured and sent.
import fc from 'fast-check';
import type { Family } from '../../src/address.ts';
import { SCHEDULERS } from '../../src/ipvs/keys.ts';
import type { IpvsPacket, ServerOptions, ServerRef, ServiceOptions, ServiceRef } from '../../src/ipvs/types.ts';
import { SCTP_CHUNKS, type SctpChunk } from '../../src/packet.ts';
import type { IpvsPair } from './ipvs-pair.ts';

export interface Model {
  /** By number in the plan: the servers that it has, as text. */
  readonly services: Map<number, Set<string>>;
  /** Packets of clients that went to a server, newest first. */
  readonly sent: { readonly packet: IpvsPacket; readonly server: ServerRef }[];
}

type IpvsCommand = fc.Command<Model, IpvsPair>;

/** Addresses of one family, and the services that are there by turns. */
interface Plan {
  readonly family: Family;
  readonly clients: readonly string[];
  readonly destinations: readonly string[];
  readonly services: readonly ServiceRef[];
  readonly servers: readonly ServerRef[];
}

const PORTS = [80, 81, 53, 3868, 20, 21];

export function planOf(family: Family): Plan {
  const address = (network: number, host: number): string => (family === 'IPv4' ? `10.${network}.0.${host}` : `fd00:${network}::${host}`);
  const [first = '', second = ''] = [address(96, 10), address(96, 11)];
  return {
    family,
    // Two in one /24 (/120), one outside of it.
    clients: [address(1, 1), address(1, 2), address(2, 1)],
    destinations: [first, second, address(96, 12)],
    services: [
      { protocol: 'TCP', address: first, port: 80 },
      { protocol: 'TCP', address: first, port: 81 },
      { protocol: 'UDP', address: first, port: 53 },
      { protocol: 'SCTP', address: first, port: 3868 },
      { protocol: 'TCP', address: second, port: 0 },
      { protocol: 'TCP', address: second, port: 21 },
      { protocol: 'UDP', address: second, port: 0 },
      { fwmark: 7, family },
      { fwmark: 0x80000001, family },
    ],
    servers: [1, 2, 3, 4].flatMap((host) => [
      { address: address(3, host), port: 8080 },
      { address: address(3, host), port: 0 },
    ]),
  };
}

function nameOf({ address, port }: ServerRef): string {
  return `${address} ${port}`;
}

/** A verb to both engines, of which one line can be read in a failure. */
function command(text: string, check: (model: Readonly<Model>) => boolean, run: (model: Model, pair: IpvsPair) => void): IpvsCommand {
  return {
    check,
    run(model, pair) {
      run(model, pair);
      pair.compare();
    },
    toString: () => text,
  };
}

/** A whole life: services with their servers first, most of them, then whatever comes. */
export function ipvsLife(family: Family): fc.Arbitrary<IpvsCommand[]> {
  const plan = planOf(family);
  const services = fc.tuple(...plan.services.map((_, number) => firstCommands(plan, number)));
  const life = fc.array(anyCommand(plan), { minLength: 30, maxLength: 150, size: 'max' });
  return fc.tuple(services, life).map(([first, rest]) => [...first.flat(), ...rest]);
}

/** A service, now and then not, and servers. */
function firstCommands(plan: Plan, number: number): fc.Arbitrary<IpvsCommand[]> {
  const service = addService(plan, fc.constant(number));
  const servers = fc.array(addServer(plan, fc.constant(number), fc.nat(plan.servers.length - 1)), { maxLength: 6, size: 'max' });
  return fc.tuple(fc.nat(5), service, servers).map(([chance, first, rest]) => (chance === 0 ? [] : [first, ...rest]));
}

function anyCommand(plan: Plan): fc.Arbitrary<IpvsCommand> {
  const service = fc.nat(plan.services.length - 1);
  const server = fc.nat(plan.servers.length - 1);
  return fc.oneof(
    { weight: 14, arbitrary: sendFromClient(plan) },
    { weight: 10, arbitrary: follow() },
    { weight: 5, arbitrary: advance() },
    { weight: 2, arbitrary: addService(plan, service) },
    { weight: 1, arbitrary: editService(plan, service) },
    { weight: 1, arbitrary: removeService(plan, service) },
    { weight: 3, arbitrary: addServer(plan, service, server) },
    { weight: 2, arbitrary: editServer(plan, service, server) },
    { weight: 2, arbitrary: removeServer(plan, service, server) },
    { weight: 2, arbitrary: setSysctl() },
    { weight: 1, arbitrary: setTimeouts() },
    { weight: 1, arbitrary: fc.constant(restoreSaved(plan)) },
  );
}

function serviceOptions(plan: Plan, ref: ServiceRef): fc.Arbitrary<ServiceOptions> {
  const mayBeOnePacket = 'fwmark' in ref || ref.protocol === 'UDP';
  const needsPersistence = !('fwmark' in ref) && ref.port === 0;
  const persistence = fc.record({
    timeout: fc.constantFrom(1, 30, 60, 300),
    netmask: plan.family === 'IPv4' ? fc.constantFrom<string | number>('255.255.255.0', 32, 8) : fc.constantFrom<string | number>(120, 128),
  });
  return fc
    .constantFrom(...SCHEDULERS)
    .chain((scheduler) =>
      fc.record({
        scheduler: fc.constant(scheduler),
        flags: scheduler === 'sh' || scheduler === 'mh' ? fc.subarray([`${scheduler}-port`, `${scheduler}-fallback`]) : fc.constant([]),
        onePacket: mayBeOnePacket ? fc.boolean() : fc.constant(false),
        persistence: needsPersistence ? persistence : fc.option(persistence, { nil: undefined, freq: 2 }),
      }),
    )
    .map(({ persistence: given, ...options }) => ({ ...options, ...(given === undefined ? {} : { persistence: given }) }));
}

function withOptions(
  plan: Plan,
  service: fc.Arbitrary<number>,
): fc.Arbitrary<{ number: number; ref: ServiceRef; options: ServiceOptions }> {
  return service.chain((number) => {
    const ref = plan.services[number] ?? { fwmark: 7 };
    return serviceOptions(plan, ref).map((options) => ({ number, ref, options }));
  });
}

function addService(plan: Plan, service: fc.Arbitrary<number>): fc.Arbitrary<IpvsCommand> {
  return withOptions(plan, service).map(({ number, ref, options }) =>
    command(
      `addService ${JSON.stringify([ref, options])}`,
      (model) => !model.services.has(number),
      (model, pair) => {
        model.services.set(number, new Set());
        pair.both((ipvs) => ipvs.addService(ref, options));
      },
    ),
  );
}

function editService(plan: Plan, service: fc.Arbitrary<number>): fc.Arbitrary<IpvsCommand> {
  return withOptions(plan, service).map(({ number, ref, options }) =>
    command(
      `editService ${JSON.stringify([ref, options])}`,
      (model) => model.services.has(number),
      (_, pair) => pair.both((ipvs) => ipvs.editService(ref, options)),
    ),
  );
}

function removeService(plan: Plan, service: fc.Arbitrary<number>): fc.Arbitrary<IpvsCommand> {
  return service.map((number) => {
    const ref = plan.services[number] ?? { fwmark: 7 };
    return command(
      `deleteService ${JSON.stringify(ref)}`,
      (model) => model.services.has(number),
      (model, pair) => {
        model.services.delete(number);
        pair.both((ipvs) => ipvs.deleteService(ref));
      },
    );
  });
}

/** Weights up to the highest, thresholds near what few connections reach. */
const serverSettings = fc.record({
  weight: fc.oneof(
    { arbitrary: fc.integer({ min: 0, max: 5 }), weight: 8 },
    { arbitrary: fc.constantFrom(6, 64, 300, 0x7fffffff), weight: 2 },
  ),
  upperThreshold: fc.constantFrom(0, 0, 0, 1, 2, 5),
  lowerThreshold: fc.constantFrom(0, 0, 1, 2),
});

interface ServerChange {
  readonly number: number;
  readonly ref: ServiceRef;
  readonly options: ServerOptions;
}

function serverChange(plan: Plan, service: fc.Arbitrary<number>, server: fc.Arbitrary<number>): fc.Arbitrary<ServerChange> {
  return fc.tuple(service, server, serverSettings).map(([number, index, settings]) => {
    const { weight, upperThreshold } = settings;
    const lowerThreshold = Math.min(settings.lowerThreshold, upperThreshold);
    const end = plan.servers[index] ?? { address: '', port: 0 };
    return { number, ref: plan.services[number] ?? { fwmark: 7 }, options: { ...end, weight, upperThreshold, lowerThreshold } };
  });
}

function addServer(plan: Plan, service: fc.Arbitrary<number>, server: fc.Arbitrary<number>): fc.Arbitrary<IpvsCommand> {
  return serverChange(plan, service, server).map(({ number, ref, options }) =>
    command(
      `addServer ${JSON.stringify([ref, options])}`,
      ({ services }) => services.get(number)?.has(nameOf(options)) === false,
      ({ services }, pair) => {
        services.get(number)?.add(nameOf(options));
        pair.both((ipvs) => ipvs.addServer(ref, options));
      },
    ),
  );
}

function editServer(plan: Plan, service: fc.Arbitrary<number>, server: fc.Arbitrary<number>): fc.Arbitrary<IpvsCommand> {
  return serverChange(plan, service, server).map(({ number, ref, options }) =>
    command(
      `editServer ${JSON.stringify([ref, options])}`,
      ({ services }) => services.get(number)?.has(nameOf(options)) === true,
      (_, pair) => pair.both((ipvs) => ipvs.editServer(ref, options)),
    ),
  );
}

function removeServer(plan: Plan, service: fc.Arbitrary<number>, server: fc.Arbitrary<number>): fc.Arbitrary<IpvsCommand> {
  return serverChange(plan, service, server).map(({ number, ref, options }) =>
    command(
      `deleteServer ${JSON.stringify([ref, options.address, options.port])}`,
      ({ services }) => services.get(number)?.has(nameOf(options)) === true,
      ({ services }, pair) => {
        services.get(number)?.delete(nameOf(options));
        pair.both((ipvs) => ipvs.deleteServer(ref, options));
      },
    ),
  );
}

const [FIN, SYN, RST, ACK] = [1, 2, 4, 16];
const tcpFlags = fc.constantFrom(SYN, SYN, SYN, SYN, SYN, SYN | ACK, ACK, ACK, FIN | ACK, RST, RST | ACK, 0);
/** undefined: the one that is due. */
const sctpChunk = fc.oneof(fc.constant(undefined), fc.constant(undefined), fc.constantFrom(...SCTP_CHUNKS));
const isIcmpError = fc.nat(15).map((number) => number === 0);

interface PacketKind {
  readonly tcpFlags: number;
  readonly sctpChunk: SctpChunk | undefined;
  readonly icmpError: boolean;
}

const packetKind: fc.Arbitrary<PacketKind> = fc.record({ tcpFlags, sctpChunk, icmpError: isIcmpError });

function ofKind(packet: Omit<IpvsPacket, keyof PacketKind>, kind: PacketKind): IpvsPacket {
  return {
    ...packet,
    tcpFlags: kind.tcpFlags,
    icmpError: kind.icmpError,
    ...(kind.sctpChunk === undefined ? {} : { sctpChunk: kind.sctpChunk }),
  };
}

/** To a service, seldom beside all of them; also begins connections, goes on with them and reuses their ports. */
function sendFromClient(plan: Plan): fc.Arbitrary<IpvsCommand> {
  const nobody: ServiceRef = { protocol: 'UDP', address: plan.destinations[2] ?? '', port: 9 };
  return fc
    .record({
      service: fc.constantFrom(...plan.services, nobody),
      source: fc.constantFrom(...plan.clients),
      sourcePort: fc.constantFrom(1000, 1000, 1000, 1001, 1001, 1002, 20),
      anyDestination: fc.constantFrom(...plan.destinations),
      anyPort: fc.constantFrom(...PORTS),
      anyProtocol: fc.constantFrom(...(['TCP', 'UDP', 'SCTP'] as const)),
      kind: packetKind,
    })
    .map(({ kind, service, source, sourcePort, anyDestination, anyPort, anyProtocol }) => {
      const target =
        'fwmark' in service
          ? { protocol: anyProtocol, destination: anyDestination, destinationPort: anyPort, fwmark: service.fwmark }
          : { protocol: service.protocol, destination: service.address, destinationPort: service.port === 0 ? anyPort : service.port };
      const packet = ofKind({ source, sourcePort, ...target }, kind);
      return command(
        `client ${JSON.stringify(packet)}`,
        () => true,
        (model, pair) => {
          const { server } = pair.send(packet);
          if (server !== undefined) model.sent.unshift({ packet, server });
        },
      );
    });
}

/** One more packet of a connection, of either side. */
function follow(): fc.Arbitrary<IpvsCommand> {
  return fc.record({ back: fc.nat(4), isFromServer: fc.boolean(), kind: packetKind }).map(({ back, isFromServer, kind }) =>
    command(
      `${isFromServer ? 'server' : 'client'} of the ${back}th last ${JSON.stringify(kind)}`,
      ({ sent }) => sent.length > back,
      ({ sent }, pair) => {
        const before = sent[back];
        if (before === undefined) return;
        const { packet, server } = before;
        const reply = {
          protocol: packet.protocol,
          source: server.address,
          sourcePort: server.port,
          destination: packet.source,
          destinationPort: packet.sourcePort,
          direction: 'server',
        } as const;
        pair.send(ofKind(isFromServer ? reply : packet, kind));
      },
    ),
  );
}

/** Around the timeouts of states, templates and full checks. */
function advance(): fc.Arbitrary<IpvsCommand> {
  return fc
    .constantFrom(
      0,
      1,
      1,
      999,
      1000,
      2000,
      2000,
      10_000,
      10_000,
      30_000,
      59_999,
      60_000,
      61_000,
      120_000,
      300_000,
      900_000,
      1_800_000,
      86_400_000,
      432_000_000,
    )
    .map((ms) =>
      command(
        `advance ${ms} ms`,
        () => true,
        (_, pair) => {
          pair.now += ms;
        },
      ),
    );
}

function setSysctl(): fc.Arbitrary<IpvsCommand> {
  return fc
    .oneof(
      fc.tuple(fc.constantFrom('conntrack', 'expire_nodest_conn', 'expire_quiescent_template', 'sloppy_sctp', 'sloppy_tcp'), fc.nat(1)),
      fc.tuple(fc.constant('conn_reuse_mode'), fc.nat(3)),
      fc.tuple(fc.constantFrom('lblc_expiration', 'lblcr_expiration'), fc.constantFrom(0, 60, 1800, 86_400)),
    )
    .map(([name, value]) =>
      command(
        `setSysctl ${name} ${value}`,
        () => true,
        (_, pair) => pair.both((ipvs) => ipvs.setSysctl(name, value)),
      ),
    );
}

function setTimeouts(): fc.Arbitrary<IpvsCommand> {
  const seconds = fc.constantFrom(0, 1, 20, 4000, 0x7fffffff);
  return fc.record({ tcp: seconds, tcpfin: seconds, udp: seconds }).map((timeouts) =>
    command(
      `setTimeouts ${JSON.stringify(timeouts)}`,
      () => true,
      (_, pair) => pair.both((ipvs) => ipvs.setTimeouts(timeouts)),
    ),
  );
}

/** What one engine saved into both, in place of what is there. */
function restoreSaved(plan: Plan): IpvsCommand {
  return command(
    `restore on ${plan.family}`,
    () => true,
    (_, pair) => {
      const saved = pair.wasm.save();
      pair.both((ipvs) => ipvs.restore(`-C\n${saved}`));
    },
  );
}
