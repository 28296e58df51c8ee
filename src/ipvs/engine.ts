// What both IPVS engines do, over checked input: ipvs.ts is above them and has found every reference, number and default to be right.
// The exact order of things is told in docs/ipvs-path.md; the engines agree on it to the bit.
import type { Address } from '../address.ts';
import type { SctpChunk, TransportProtocol } from '../packet.ts';
import type { ServerKey, ServerSettings, ServiceKey, ServiceSettings } from './keys.ts';
import type { ServerRun } from './server-list.ts';
import type { IpvsConnection, IpvsVerdict, ServerState } from './types.ts';

/** The bits of a TCP header that IPVS looks at. */
export const TCP_FLAG_BITS = 0x3f;

export interface EnginePacket {
  readonly isFromServer: boolean;
  readonly protocol: TransportProtocol;
  /** Of one family. */
  readonly source: Address;
  readonly destination: Address;
  /** 1-65535. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** TCP: the header's low six bits, default filled in (SYN). Others: 0. */
  readonly tcpFlags: number;
  readonly mark: number;
  readonly isIcmpError: boolean;
  /** SCTP only; undefined: derived from direction and state. */
  readonly sctpChunk: SctpChunk | undefined;
}

/** What IPVS would do. `leave`: the packet goes on as without IPVS. */
export type Foresight =
  | {
      readonly kind: 'forward';
      readonly destination: { readonly address: string; readonly port: number };
      /** IPVS has the packet's connection already, or a valid template of its client, or its scheduler picks. */
      readonly by: 'connection' | 'template' | 'scheduler';
    }
  | { readonly kind: 'noServer' | 'drop' | 'leave' };

/** A real server of a virtual service as IPVS has it at the moment. */
export interface RealServer {
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  /** The last weight above 0. */
  readonly lastWeight: number;
  readonly active: number;
  readonly inactive: number;
}

/** The sysctls that decide about packets. The others of net.ipv4.vs are checked above the engine and change nothing. */
export const ENGINE_SYSCTLS = [
  'conn_reuse_mode',
  'conntrack',
  'expire_nodest_conn',
  'expire_quiescent_template',
  'lblc_expiration',
  'lblcr_expiration',
  'sloppy_sctp',
  'sloppy_tcp',
] as const;
export type EngineSysctl = (typeof ENGINE_SYSCTLS)[number];

/** Every one of ENGINE_SYSCTLS has a value: whole numbers, lblc_expiration and lblcr_expiration in seconds. */
export type EngineSysctls = Readonly<Record<EngineSysctl, number>>;

export interface IpvsEngineOptions {
  /** 32 bits, unsigned: the first state is seedRandom(seed). */
  readonly seed: number;
  readonly sysctls: EngineSysctls;
  readonly hasConntrackHooks: boolean;
}

/** Seconds; 0 leaves one as it is. */
export interface TimeoutSettings {
  readonly tcp: number;
  readonly tcpfin: number;
  readonly udp: number;
}

/**
 * Times are whole milliseconds since the engine was made and never run backwards. `process` fires due timers itself; before any other verb
 * the caller calls `advance`, and the verb then happens at that moment. Adding what exists, or naming what does not, never happens.
 */
export interface IpvsEngine {
  readonly name: 'wasm' | 'js';
  /** Fires every timer that is due at `now` or before. */
  advance(now: number): void;
  /** `servers` are added in their order; `tag`: as of setTag. */
  addService(service: ServiceKey, settings: ServiceSettings, servers?: ServerRun, tag?: number): void;
  editService(service: ServiceKey, settings: ServiceSettings): void;
  /** Whoever hosts the engine may give a service a number of its own, 0 at first. */
  setTag(service: ServiceKey, tag: number): void;
  deleteService(service: ServiceKey): void;
  /** Deletes all services, in the order in which they were added. */
  clear(): void;
  addServer(service: ServiceKey, server: ServerKey, settings: ServerSettings): void;
  editServer(service: ServiceKey, server: ServerKey, settings: ServerSettings): void;
  deleteServer(service: ServiceKey, server: ServerKey): void;
  /** Newest first. */
  servers(service: ServiceKey): ServerState[];
  setTimeouts(seconds: TimeoutSettings): void;
  setSysctl(name: EngineSysctl, value: number): void;
  process(packet: EnginePacket, now: number): IpvsVerdict;
  /** Oldest first; templates among them. */
  connections(): IpvsConnection[];
}
