// The entry `svcplane/ipvs`: IPVS on its own, as the Linux kernel does it. Re-exports only.
export { CapacityError, CoreError, DisposedError, InvalidArgumentError, SvcplaneError, UnsupportedError } from './errors.ts';
export { createIpvs, createIpvsSync } from './ipvs/ipvs.ts';
export type {
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
} from './ipvs/types.ts';
export type { SctpChunk } from './packet.ts';
