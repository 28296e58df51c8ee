// Runs a scenario of conformance/ipvs-kernel.json, observed on a running kernel, through the public verbs alone.
import { expect } from 'vitest';
import { formatEndpoint } from '../../src/address.ts';
import { createIpvsSync } from '../../src/ipvs/ipvs.ts';
import type { Ipvs, IpvsPacket, IpvsVerdict, ServiceOptions, ServiceRef } from '../../src/ipvs/types.ts';
import type { TransportProtocol } from '../../src/packet.ts';
import { loadConformance } from './data.ts';

export interface Virtual {
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly fwmark?: number;
}

interface Step {
  readonly op: string;
  readonly service?: number;
  readonly connection?: number;
  readonly source?: string;
  readonly sourcePort?: number;
  readonly destination?: string;
  readonly destinationPort?: number;
  readonly handshake?: string;
  readonly from?: 'client' | 'server';
  readonly flags?: string | readonly string[];
  readonly by?: 'client' | 'server';
  readonly how?: 'fin' | 'rst';
  readonly address?: string;
  readonly port?: number;
  readonly weight?: number;
  readonly upper?: number;
  readonly lower?: number;
  readonly seconds?: number;
  readonly name?: string;
  readonly value?: number;
  readonly tcp?: number;
  readonly tcpfin?: number;
  readonly udp?: number;
  readonly informative?: boolean;
  readonly expect?: unknown;
  readonly [field: string]: unknown;
}

export interface Scenario {
  readonly id: string;
  readonly description: string;
  readonly scheduler: string;
  readonly flags: readonly string[];
  readonly virtual: Virtual;
  readonly services?: readonly Virtual[];
  readonly persistence?: { readonly timeout: number; readonly netmask?: string | number };
  readonly onePacket?: boolean;
  readonly sysctls: Record<string, number>;
  readonly conntrackHooks?: boolean;
  readonly informative?: boolean;
  readonly steps: readonly Step[];
}

export const SCENARIOS = loadConformance<readonly Scenario[]>('ipvs-kernel.json');

const FLAG_BITS: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, P: 8, A: 16 };

/** Times that the kernel showed may be 1 or 2 seconds less than exact. */
const SECONDS_LATE = 2;

interface Client {
  readonly virtual: Virtual;
  readonly source: { readonly address: string; readonly port: number };
  readonly destination: { readonly address: string; readonly port: number };
  server?: { readonly address: string; readonly port: number };
}

function protocolOf({ protocol }: Virtual): TransportProtocol {
  return protocol.toUpperCase() as TransportProtocol;
}

/** What must make no difference to a scenario. */
export interface Circumstances {
  /** When it begins. Default 0. */
  readonly startMs?: number;
  /** Tables are read before every step. */
  readonly isWatched?: boolean;
}

export function runScenario(scenario: Scenario, engine: 'wasm' | 'js', circumstances: Circumstances = {}): void {
  const run = new Run(scenario, engine, circumstances);
  scenario.steps.forEach((step, index) => {
    try {
      if (circumstances.isWatched === true) run.watch();
      run.step(step);
    } catch (error) {
      if (error instanceof Error) error.message = `step ${index} ${JSON.stringify(step).slice(0, 300)}: ${error.message}`;
      throw error;
    }
  });
}

class Run {
  #now: number;
  readonly #scenario: Scenario;
  readonly #virtuals: readonly Virtual[];
  readonly #ipvs: Ipvs;
  readonly #clients = new Map<number, Client>();

  constructor(scenario: Scenario, engine: 'wasm' | 'js', { startMs = 0 }: Circumstances) {
    this.#scenario = scenario;
    this.#now = startMs;
    this.#virtuals = scenario.services ?? [scenario.virtual];
    this.#ipvs = createIpvsSync({
      engine,
      seed: 1,
      now: () => this.#now,
      sysctls: scenario.sysctls,
      conntrackHooks: scenario.conntrackHooks ?? false,
    });
    for (const virtual of this.#virtuals) this.#ipvs.addService(this.#ref(virtual), this.#options({}));
  }

  #options(step: Partial<Step>): ServiceOptions {
    const { scheduler, flags, persistence, onePacket } = { ...this.#scenario, ...step } as Scenario;
    return {
      scheduler,
      flags: [...flags],
      ...(persistence === undefined ? {} : { persistence }),
      ...(onePacket === true ? { onePacket } : {}),
    };
  }

  #ref(virtual: Virtual): ServiceRef {
    if (virtual.fwmark !== undefined) return { fwmark: virtual.fwmark, family: virtual.address.includes(':') ? 'IPv6' : 'IPv4' };
    return { protocol: protocolOf(virtual), address: virtual.address, port: virtual.port };
  }

  watch(): void {
    this.#ipvs.save();
    for (const service of this.#ipvs.services()) this.#ipvs.servers(service);
    expect([...this.#ipvs.connections()]).toEqual([...this.#ipvs.connections()]);
  }

  step(step: Step): void {
    const virtual = this.#virtuals[step.service ?? 0] ?? this.#scenario.virtual;
    const service = this.#ref(virtual);
    const server = {
      address: step.address ?? '',
      port: step.port ?? 0,
      ...(step.weight === undefined ? {} : { weight: step.weight }),
      ...(step.upper === undefined ? {} : { upperThreshold: step.upper }),
      ...(step.lower === undefined ? {} : { lowerThreshold: step.lower }),
    };
    switch (step.op) {
      case 'note':
        if (step.note === 'sysctls') this.#setSysctls(String(step.text));
        return;
      case 'add-server':
        this.#ipvs.addServer(service, server);
        return;
      case 'set-weight':
        this.#ipvs.editServer(service, server);
        return;
      case 'remove-server':
        this.#ipvs.deleteServer(service, server);
        return;
      case 'remove-service':
        this.#ipvs.deleteService(service);
        return;
      case 'add-service':
        this.#ipvs.addService(service, this.#options(step));
        return;
      case 'edit-service':
        this.#ipvs.editService(service, this.#options(step));
        return;
      case 'sysctl':
        this.#ipvs.setSysctl(step.name ?? '', step.value ?? 0);
        return;
      case 'set-timeouts':
        this.#ipvs.setTimeouts({ tcp: step.tcp ?? 0, tcpfin: step.tcpfin ?? 0, udp: step.udp ?? 0 });
        return;
      case 'advance':
        this.#now += (step.seconds ?? 0) * 1000;
        return;
      case 'connect':
        this.#connect(step, virtual);
        return;
      case 'packet':
        this.#packet(step);
        return;
      case 'close':
        this.#close(step);
        return;
      case 'servers':
        expect(this.#ipvs.servers(service)).toMatchObject(step.expect as object[]);
        return;
      case 'state':
        this.#state(step);
        return;
      case 'table':
        this.#table(step);
        return;
      default:
        throw new Error(`op ${step.op} is not known to this runner`);
    }
  }

  #connect(step: Step, virtual: Virtual): void {
    const client: Client = {
      virtual,
      source: { address: step.source ?? '', port: step.sourcePort ?? 0 },
      destination: { address: step.destination ?? virtual.address, port: step.destinationPort ?? virtual.port },
    };
    this.#clients.set(step.connection ?? 0, client);
    const { handshake = 'datagram' } = step;
    const flags = handshake === 'datagram' ? 'U' : handshake === 'syn' || handshake === 'full' ? 'S' : handshake;
    const verdict = this.#send(client, 'client', flags);
    if (step.expect !== undefined) expect(outcome(verdict)).toBe(step.expect);
    if (verdict.server !== undefined) client.server = verdict.server;
    if (handshake !== 'full' || verdict.action !== 'FORWARD') return;
    this.#send(client, 'server', 'SA');
    this.#send(client, 'client', 'A');
  }

  #packet(step: Step): void {
    const client = this.#client(step);
    const verdict = this.#send(client, step.from ?? 'client', String(step.flags ?? 'U'));
    if (verdict.server !== undefined) client.server = verdict.server;
    if (step.expect !== undefined) expect(outcome(verdict)).toBe(step.expect);
  }

  #close(step: Step): void {
    const client = this.#client(step);
    const by = step.by ?? 'client';
    const other = by === 'client' ? 'server' : 'client';
    if (step.how === 'rst') {
      this.#send(client, by, 'R');
      return;
    }
    this.#send(client, by, 'FA');
    this.#send(client, other, 'A');
    this.#send(client, other, 'FA');
    this.#send(client, by, 'A');
  }

  /** All names that the kernel has, with its defaults. Of two numbers the first one stands for both. */
  #setSysctls(text: string): void {
    for (const line of text.split('\n')) {
      const [name = '', value] = line.split(/\s+/);
      this.#ipvs.setSysctl(name, Number(value));
    }
  }

  #client(step: Step): Client {
    const client = this.#clients.get(step.connection ?? 0);
    if (client === undefined) throw new Error(`connection ${step.connection} was never opened`);
    return client;
  }

  #send(client: Client, from: 'client' | 'server', flags: string): IpvsVerdict {
    const isIcmp = flags === 'I';
    const tcpFlags = [...flags].reduce((bits, letter) => bits | (FLAG_BITS[letter] ?? 0), 0);
    const near = from === 'client' ? client.source : (client.server ?? client.destination);
    const far = from === 'client' ? client.destination : client.source;
    const packet: IpvsPacket = {
      protocol: protocolOf(client.virtual),
      source: near.address,
      sourcePort: near.port,
      destination: far.address,
      destinationPort: far.port,
      direction: from,
      ...(flags === 'U' || isIcmp ? {} : { tcpFlags }),
      ...(isIcmp ? { icmpError: true } : {}),
      ...(client.virtual.fwmark === undefined || from === 'server' ? {} : { fwmark: client.virtual.fwmark }),
    };
    return this.#ipvs.process(packet);
  }

  #state(step: Step): void {
    const { source, destination } = this.#client(step);
    const isThis = (end: { address: string; port: number }, other: { address: string; port: number }): boolean =>
      end.address === other.address && end.port === other.port;
    const found = [...this.#ipvs.connections()]
      .filter(({ client, virtual }) => isThis(client, source) && isThis(virtual, destination))
      .at(-1);
    const expected = step.expect as { state: string; server?: string; expires: number } | null | undefined;
    if (expected === null || expected === undefined) {
      expect(found).toBeUndefined();
      return;
    }
    const shown = found === undefined ? undefined : { state: found.state, server: formatEndpoint(found.server.address, found.server.port) };
    const { expires, ...rest } = expected;
    expect(shown).toMatchObject(rest);
    expectSeconds(found?.expires, expires);
  }

  #table(step: Step): void {
    const expected = step.expect as readonly {
      protocol: string;
      client: string;
      virtual: string;
      server: string;
      state: string;
      expires: number;
    }[];
    const shown = [...this.#ipvs.connections()].map((entry) => ({
      protocol: entry.protocol.toLowerCase(),
      client: formatEndpoint(entry.client.address, entry.client.port),
      virtual: formatEndpoint(entry.virtual.address, entry.virtual.port),
      server: formatEndpoint(entry.server.address, entry.server.port),
      state: entry.state,
      expires: entry.expires,
    }));
    const sorted = <T extends { client: string; virtual: string; server: string }>(rows: readonly T[]): T[] =>
      [...rows].sort((a, b) => `${a.client} ${a.virtual} ${a.server}`.localeCompare(`${b.client} ${b.virtual} ${b.server}`));
    const want = sorted(expected);
    const have = sorted(shown);
    expect(have.map(({ expires, ...rest }) => rest)).toEqual(want.map(({ expires, ...rest }) => rest));
    want.forEach(({ expires }, index) => {
      expectSeconds(have[index]?.expires, expires);
    });
  }
}

function expectSeconds(have: number | undefined, expected: number): void {
  expect(have).toBeGreaterThanOrEqual(expected);
  expect(have).toBeLessThanOrEqual(expected + SECONDS_LATE);
}

function outcome(verdict: IpvsVerdict): string {
  const text = (end: { address: string; port: number } | undefined): string =>
    end === undefined ? '' : formatEndpoint(end.address, end.port);
  switch (verdict.action) {
    case 'FORWARD':
      return text(verdict.server);
    case 'ACCEPT':
      return verdict.about === undefined ? text(verdict.source) : `icmp from ${verdict.source?.address} about ${text(verdict.about)}`;
    case 'REJECT':
      return 'icmp-port-unreachable';
    case 'RESET':
      return 'rst';
    case 'DROP':
      return 'none';
  }
}
