// The packet in flight: its addresses, ports and mark as they stand now, and what rules have decided about it so far.
import type { SctpChunk, TransportProtocol } from '../../packet.ts';
import type { IpProtocol } from '../../program/ruleset.ts';
import type { AddressWords } from './addresses.ts';

/** Protocol aside, what tells connections apart. */
export interface Tuple {
  readonly source: AddressWords;
  readonly sourcePort: number;
  readonly destination: AddressWords;
  readonly destinationPort: number;
}

/** The address and port that IPVS found a packet under before it scheduled it. */
export interface VirtualEndpoint {
  readonly address: AddressWords;
  readonly port: number;
}

/** What `snat` or `masquerade` asked for. */
export type SourceTranslation =
  | { readonly kind: 'masquerade'; readonly randomFully: boolean }
  | { readonly kind: 'snat'; readonly address: AddressWords; readonly port?: number };

export interface Flight {
  readonly protocol: TransportProtocol;
  /** The protocol as matches and sets name it. */
  readonly protocolName: IpProtocol;
  /** The tuple it came with. */
  readonly arrived: Tuple;
  readonly tcpFlags: number;
  /** SCTP only; undefined: the one that is due. */
  readonly sctpChunk: SctpChunk | undefined;
  /** Where the caller said that it starts. */
  readonly hook: 'PREROUTING' | 'OUTPUT' | undefined;
  source: AddressWords;
  sourcePort: number;
  destination: AddressWords;
  destinationPort: number;
  mark: number;
  /** Empty: none. */
  inInterface: string;
  state: 'NEW' | 'ESTABLISHED' | 'INVALID' | 'UNTRACKED';
  /** The connection's virtual states DNAT and SNAT. */
  isDnat: boolean;
  isSnat: boolean;
  isDestinationBound: boolean;
  isSourceBound: boolean;
  sourceTranslation: SourceTranslation | undefined;
  /** The source translation was applied: source and port are final. */
  isSourceSettled: boolean;
  /** A proxy on this node gets it, whatever its destination. */
  isForProxy: boolean;
  virtual: VirtualEndpoint | undefined;
  /** One of PATH_*. */
  path: number;
  rulesEvaluated: number;
  /** Numbers of ServicePorts, 0 for none: of the rule that translated the destination or refused the packet. */
  servicePort: number;
  /** Of the last accepting rule that has one. */
  acceptedServicePort: number;
  /** Of the map element that led to the present chain of this base chain. */
  elementServicePort: number;
}

/** A packet that has met nothing yet. */
export function beginFlight(
  protocol: TransportProtocol,
  tuple: Tuple,
  header: Pick<Flight, 'tcpFlags' | 'sctpChunk' | 'hook' | 'mark' | 'inInterface'>,
): Flight {
  return {
    protocol,
    protocolName: protocolNames[protocol],
    arrived: tuple,
    tcpFlags: header.tcpFlags,
    sctpChunk: header.sctpChunk,
    hook: header.hook,
    source: tuple.source,
    sourcePort: tuple.sourcePort,
    destination: tuple.destination,
    destinationPort: tuple.destinationPort,
    mark: header.mark,
    inInterface: header.inInterface,
    state: 'NEW',
    isDnat: false,
    isSnat: false,
    isDestinationBound: false,
    isSourceBound: false,
    sourceTranslation: undefined,
    isSourceSettled: false,
    isForProxy: false,
    virtual: undefined,
    path: 0,
    rulesEvaluated: 0,
    servicePort: 0,
    acceptedServicePort: 0,
    elementServicePort: 0,
  };
}

const protocolNames: Readonly<Record<TransportProtocol, IpProtocol>> = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' };
