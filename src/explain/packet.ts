// The packet that a walk carries through the hooks: what it looks like at the moment, and what was decided about it.
import { type Address, type Family, parseAddress } from '../address.ts';
import { InvalidArgumentError } from '../errors.ts';
import type { Packet, SctpChunk, TransportProtocol } from '../packet.ts';
import type { IpProtocol, Target } from '../program/ruleset.ts';

export interface Endpoint {
  readonly address: Address;
  readonly port: number;
}

export interface WalkedPacket {
  readonly protocol: TransportProtocol;
  readonly protocolName: IpProtocol;
  /** What it came with. */
  readonly arrived: { readonly source: Endpoint; readonly destination: Endpoint };
  source: Endpoint;
  destination: Endpoint;
  readonly tcpFlags: number;
  /** Undefined: the one that is due. */
  readonly sctpChunk: SctpChunk | undefined;
  mark: number;
  inInterface: string;
  /** Somebody said so, or it began on this node. */
  isInInterfaceKnown: boolean;
  state: 'NEW' | 'ESTABLISHED' | 'INVALID' | 'UNTRACKED';
  isDnat: boolean;
  /** The source translation that was asked for. */
  sourceTarget: Extract<Target, { kind: 'snat' | 'masquerade' }> | undefined;
  isSnat: boolean;
  /** The source translation was applied. */
  isSourceSettled: boolean;
  /** A proxy on this node gets it, whatever its destination. */
  isForProxy: boolean;
  /** Where IPVS found it. */
  virtual: Endpoint | undefined;
  /** Lists and sets that this packet has put its source on; replaced when one is added. */
  seenNow: ReadonlySet<string>;
  /** It passed a rule of which not all is modelled. */
  isUncertain: boolean;
  rulesEvaluated: number;
  /** Of the rule that translated the destination or refused the packet. */
  servicePort: string | undefined;
  /** Of the last accepting rule that has one. */
  acceptedServicePort: string | undefined;
  /** Of the map element that led here, in the present base chain. */
  elementServicePort: string | undefined;
}

const TCP_SYN = 2;

const protocolNames: Readonly<Record<TransportProtocol, IpProtocol>> = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' };

/** @throws InvalidArgumentError when an address is none, or of another family than the Program's. */
export function beginPacket(packet: Packet, family: Family): WalkedPacket {
  const source = { address: addressIn('packet.source', packet.source, family), port: packet.sourcePort };
  const destination = { address: addressIn('packet.destination', packet.destination, family), port: packet.destinationPort };
  return {
    protocol: packet.protocol,
    protocolName: protocolNames[packet.protocol],
    arrived: { source, destination },
    source,
    destination,
    tcpFlags: packet.tcpFlags ?? TCP_SYN,
    sctpChunk: packet.sctpChunk,
    mark: packet.mark ?? 0,
    inInterface: packet.inInterface ?? '',
    isInInterfaceKnown: packet.inInterface !== undefined,
    state: 'NEW',
    isDnat: false,
    sourceTarget: undefined,
    isSnat: false,
    isSourceSettled: false,
    isForProxy: false,
    virtual: undefined,
    seenNow: new Set(),
    isUncertain: false,
    rulesEvaluated: 0,
    servicePort: undefined,
    acceptedServicePort: undefined,
    elementServicePort: undefined,
  };
}

/** The same address and port. */
export function isSameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.address.text === b.address.text;
}

function addressIn(path: string, text: string, family: Family): Address {
  const address = parseAddress(text);
  if (address?.family !== family) throw new InvalidArgumentError(path, text, `is not an ${family} address`);
  return address;
}
