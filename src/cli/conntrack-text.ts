// A tracked connection as `conntrack -L` prints it.
import type { Connection } from '../dataplane-types.ts';
import type { TransportProtocol } from '../packet.ts';

const NUMBERS: Readonly<Record<TransportProtocol, number>> = { TCP: 6, UDP: 17, SCTP: 132 };

/** `tcp      6 431999 ESTABLISHED src=… dst=… sport=… dport=… packets=2 src=… … packets=1 [ASSURED] mark=0 use=1` */
export function conntrackLine(connection: Connection): string {
  const { protocol, original, reply, state, packets, seenReply, assured, expiresInMs } = connection;
  const tuple = ({ source, destination, sourcePort, destinationPort }: Connection['original']): string =>
    `src=${source} dst=${destination} sport=${sourcePort} dport=${destinationPort}`;
  return [
    `${protocol.toLowerCase().padEnd(8)} ${NUMBERS[protocol]} ${Math.max(0, Math.floor(expiresInMs / 1000))}`,
    state,
    tuple(original),
    `packets=${packets.original}`,
    seenReply ? undefined : '[UNREPLIED]',
    tuple(reply),
    `packets=${packets.reply}`,
    assured ? '[ASSURED]' : undefined,
    'mark=0 use=1',
  ]
    .filter((part) => part !== undefined)
    .join(' ');
}
