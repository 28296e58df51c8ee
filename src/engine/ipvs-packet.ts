// A packet of the node as IPVS gets it, whichever engine runs.
import type { Address } from '../address.ts';
import { type EnginePacket, TCP_FLAG_BITS } from '../ipvs/engine.ts';
import type { TransportProtocol } from '../packet.ts';
import type { ProtocolHeader } from './engine.ts';

export type PacketEnds = Pick<EnginePacket, 'sourcePort' | 'destinationPort'> & { readonly source: Address; readonly destination: Address };

/** kube-proxy has no services by mark. */
export function ipvsPacket(
  protocol: TransportProtocol,
  { source, sourcePort, destination, destinationPort }: PacketEnds,
  { tcpFlags, sctpChunk }: ProtocolHeader,
  isFromServer: boolean,
): EnginePacket {
  return {
    isFromServer,
    protocol,
    source,
    sourcePort,
    destination,
    destinationPort,
    tcpFlags: protocol === 'TCP' ? tcpFlags & TCP_FLAG_BITS : 0,
    mark: 0,
    isIcmpError: false,
    sctpChunk: protocol === 'SCTP' ? sctpChunk : undefined,
  };
}
