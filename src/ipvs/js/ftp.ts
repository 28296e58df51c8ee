// What the kernel's IPVS knows of FTP without its helper: a service on port 21 has the data connections of its address as well, and one that is
// persistent sends a client's data where its control connection went.
import type { EnginePacket } from '../engine.ts';
import type { ServiceKey } from '../keys.ts';

export const FTP_PORT = 21;

/** The port that servers send data from. */
export const FTP_DATA_PORT = 20;

/** `ip_unprivileged_port_start`: passive FTP listens on such ports. */
const FIRST_UNPRIVILEGED_PORT = 1024;

/** Where no service has its port, the packet may be for the FTP service of its address. */
export function mayBeFtpData({ protocol, destinationPort }: Pick<EnginePacket, 'protocol' | 'destinationPort'>): boolean {
  return protocol === 'TCP' && (destinationPort === FTP_DATA_PORT || destinationPort >= FIRST_UNPRIVILEGED_PORT);
}

/** It came to this service as FTP data: without persistence or a server it is no matter for IPVS. */
export function isFtpData({ destinationPort }: EnginePacket, key: ServiceKey): boolean {
  return key.kind === 'address' && key.port === FTP_PORT && destinationPort !== FTP_PORT;
}
