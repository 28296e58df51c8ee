// Packets from outside, checked and put into the form that engines take.
import { InvalidArgumentError } from '../errors.ts';
import { SCTP_CHUNKS } from '../packet.ts';
import { type EnginePacket, TCP_FLAG_BITS } from './engine.ts';
import { MAX_PORT, MAX_U32, readAddress, readProtocol } from './references.ts';
import type { IpvsPacket } from './types.ts';
import { wholeNumber } from './whole-number.ts';

const SYN = 2;
const MAX_FLAGS = 0xffff;

/** @throws InvalidArgumentError naming the field */
export function readPacket(packet: IpvsPacket): EnginePacket {
  const protocol = readProtocol(packet.protocol, 'packet.protocol');
  const source = readAddress(packet.source, 'packet.source');
  const destination = readAddress(packet.destination, 'packet.destination');
  if (source.family !== destination.family) {
    throw new InvalidArgumentError('packet.destination', packet.destination, `is not of one family with packet.source ${source.text}`);
  }
  const { direction = 'client', sctpChunk } = packet;
  if (direction !== 'client' && direction !== 'server')
    throw new InvalidArgumentError('packet.direction', direction, 'is neither client nor server');
  if (sctpChunk !== undefined && !SCTP_CHUNKS.includes(sctpChunk))
    throw new InvalidArgumentError('packet.sctpChunk', sctpChunk, `is not one of ${SCTP_CHUNKS.join(', ')}`);
  const tcpFlags = wholeNumber(packet.tcpFlags ?? SYN, 0, MAX_FLAGS, 'packet.tcpFlags');
  return {
    isFromServer: direction === 'server',
    protocol,
    source,
    sourcePort: wholeNumber(packet.sourcePort, 1, MAX_PORT, 'packet.sourcePort'),
    destination,
    destinationPort: wholeNumber(packet.destinationPort, 1, MAX_PORT, 'packet.destinationPort'),
    tcpFlags: protocol === 'TCP' ? tcpFlags & TCP_FLAG_BITS : 0,
    mark: wholeNumber(packet.fwmark ?? packet.mark ?? 0, 0, MAX_U32, 'packet.fwmark'),
    isIcmpError: packet.icmpError ?? false,
    sctpChunk: protocol === 'SCTP' ? sctpChunk : undefined,
  };
}
