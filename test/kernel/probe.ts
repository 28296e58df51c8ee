// A question to a node that is asked by opening connections: the library foretells what becomes of them.
import type { Packet } from '../../src/packet.ts';
import type { Testbed } from './testbed.ts';

/** For explain, to which it makes no difference. */
const ANY_PORT = 20_000;

export interface Probe {
  readonly title: string;
  readonly protocol: Packet['protocol'];
  readonly source: string;
  /** Absent: every connection has its own. */
  readonly sourcePort?: number;
  readonly destination: string;
  readonly port: number;
}

/** The probe as explain wants it. Packets from a cable come in through its interface. */
export function packetOf({ protocol, source, sourcePort, destination, port }: Probe, { network }: Testbed): Packet {
  const inInterface = ({ node: undefined, pods: 'pod0', outside: 'out0' } as const)[network.placeOf(source)];
  const packet: Packet = { protocol, source, sourcePort: sourcePort ?? ANY_PORT, destination, destinationPort: port };
  return inInterface === undefined ? packet : { ...packet, inInterface };
}
