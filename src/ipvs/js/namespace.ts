// What all of IPVS in one network namespace shares: clock, sysctls, timeouts, chance, and the servers kept aside.
import { nextRandom } from '../../../assembly/shared/random.ts';
import type { EngineSysctl, EngineSysctls, TimeoutSettings } from '../engine.ts';
import type { Server } from './server.ts';
import { TCP_TIMEOUTS, type TcpState } from './tcp-states.ts';

const UDP_TIMEOUT_SECONDS = 300;

/** A generator of random numbers that others may draw from, too. */
export interface RandomSource {
  /** As seedRandom or nextRandom gives it. */
  state: number;
}

export interface NamespaceOptions {
  readonly random: RandomSource;
  readonly sysctls: EngineSysctls;
  readonly hasConntrackHooks: boolean;
}

export class Namespace {
  /** Milliseconds, the moment of the running verb. */
  now = 0;
  readonly sysctls: Record<EngineSysctl, number>;
  readonly hasConntrackHooks: boolean;
  /** Seconds by state. */
  readonly tcpTimeouts: Record<TcpState, number> = { ...TCP_TIMEOUTS };
  udpTimeout = UDP_TIMEOUT_SECONDS;
  /** Removed servers that something still refers to, by name. */
  readonly #aside = new Map<string, Server>();
  readonly random: RandomSource;

  constructor({ random, sysctls, hasConntrackHooks }: NamespaceOptions) {
    this.random = random;
    this.sysctls = { ...sysctls };
    this.hasConntrackHooks = hasConntrackHooks;
  }

  /** 1 to 0xffffffff. */
  drawRandom(): number {
    this.random.state = nextRandom(this.random.state);
    return this.random.state;
  }

  setTimeouts({ tcp, tcpfin, udp }: TimeoutSettings): void {
    if (tcp > 0) this.tcpTimeouts.ESTABLISHED = tcp;
    if (tcpfin > 0) this.tcpTimeouts.FIN_WAIT = tcpfin;
    if (udp > 0) this.udpTimeout = udp;
  }

  /** Something more refers to this server: a connection, a template, a cached choice. */
  refer(server: Server): void {
    server.referenceCount += 1;
  }

  /** Something refers to it no more; a removed server that nothing refers to is forgotten. */
  release(server: Server): void {
    server.referenceCount -= 1;
    if (server.referenceCount === 0 && !server.isAvailable) this.#aside.delete(server.name);
  }

  /** A server left its service's list: it stays known while something refers to it. */
  keepAside(server: Server): void {
    if (server.referenceCount > 0) this.#aside.set(server.name, server);
  }

  /** Something still refers to a removed server. */
  get hasServersAside(): boolean {
    return this.#aside.size > 0;
  }

  /** The removed server of this name, if it is still known. */
  takeBack(name: string): Server | undefined {
    const server = this.#aside.get(name);
    this.#aside.delete(name);
    return server;
  }
}
