// Virtual services and real servers as both IPVS engines are told of them: what each is found by, and what is set of it.
import type { Address, Family } from '../address.ts';
import type { TransportProtocol } from '../packet.ts';

/** In the order of their codes in the core. */
export const SCHEDULERS = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'fo', 'ovf', 'mh', 'twos'] as const;
export type SchedulerName = (typeof SCHEDULERS)[number];

/** sh-fallback and mh-fallback, sh-port and mh-port: the kernel has one bit for both. Other schedulers ignore them. */
export type SchedulerFlag = 'fallback' | 'port';

/** A service by which packets find it. `id` is unique among services and stable: `TCP 10.96.0.10:80`, `FWM 7 IPv4`. */
export type ServiceKey =
  | {
      readonly kind: 'address';
      readonly id: string;
      readonly family: Family;
      readonly protocol: TransportProtocol;
      readonly address: Address;
      readonly port: number;
    }
  | { readonly kind: 'fwmark'; readonly id: string; readonly family: Family; readonly mark: number };

export interface ServiceSettings {
  readonly scheduler: SchedulerName;
  readonly flags: ReadonlySet<SchedulerFlag>;
  /** `mask`: as many words as an address of the service's family has. */
  readonly persistence?: { readonly timeoutSeconds: number; readonly mask: readonly number[] };
  readonly isOnePacket: boolean;
}

/** A server within its service, of the service's family. `id` is unique there: `10.0.0.1:80`. */
export interface ServerKey {
  readonly id: string;
  readonly address: Address;
  readonly port: number;
}

export interface ServerSettings {
  /** 0-0x7fffffff. */
  readonly weight: number;
  /** 0-0xffffffff each, lower not above upper. */
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
}
