// The packet in flight: its addresses, ports and mark as they stand now, and what rules have decided about it so far.
// One packet at a time; every stage reads and writes this record.
import { copyAddress, swapPort } from "./address.ts";

@unmanaged
export class Flight {
  // Present addresses, wire words; 16 bytes each, the first 4 used by IPv4.
  source0: u64 = 0;
  source1: u64 = 0;
  destination0: u64 = 0;
  destination1: u64 = 0;
  sourcePort: u32 = 0; // network order
  destinationPort: u32 = 0; // network order
  class: u32 = 0;
  tag: u32 = 0; // of a new packet: that of the tuple it came with
  replyTag: u32 = 0; // and of the reply tuple that settleSource left
  mark: u32 = 0;
  interface: u32 = 0;
  conntrackState: u32 = 0; // STATE_BIT_*
  rulesEvaluated: u32 = 0;
  servicePort: u32 = 0; // of the deciding rule
  elementServicePort: u32 = 0; // of the map element or choice that led to the present chain
  acceptedServicePort: u32 = 0; // of the last accepting rule that has one
  isSourceLocal: bool = false; // of the source it came with
  isDestinationLocal: bool = false; // of the destination that routing saw last
  isDestinationBound: bool = false;
  isSourceBound: bool = false;
  isSourceSettled: bool = false;
  isDnat: bool = false;
  isMasquerade: bool = false;
  isRandomFully: bool = false;
  isIpvs: bool = false;
  isForProxy: bool = false; // a proxy on this node gets it, whatever its destination
  snatPort: u32 = 0; // network order; PORT_KEEP: any
  endpoint: usize = 0; // ENDPOINT record that was chosen last
  newSource: usize = 0; // address of the address that replaces the source; 0: it stays
  askedSet: usize = 0; // the set that was asked last about the present destination; 0: none
  askedSelectors: u32 = 0;
  askedSlot: usize = 0; // and its answer
  destinationKind: u32 = 0; // DESTINATION_*: what is known of the present destination
  virtualPort: u32 = 0; // IPVS: the port in network order before scheduling
  virtual0: u64 = 0; // IPVS: the address before scheduling
  virtual1: u64 = 0;
}

const FLIGHT_SIZE: usize = 144;
const FLIGHT: usize = memory.data(144, 16);
if (offsetof<Flight>() > FLIGHT_SIZE) ERROR("Flight does not fit");

export const flight: Flight = changetype<Flight>(FLIGHT);

/** Where the present source address lies. */
export function sourceAddress(): usize {
  return FLIGHT + offsetof<Flight>("source0");
}

/** Where the present destination address lies. */
export function destinationAddress(): usize {
  return FLIGHT + offsetof<Flight>("destination0");
}

/** Where IPVS keeps the virtual address it scheduled for. */
export function virtualAddress(): usize {
  return FLIGHT + offsetof<Flight>("virtual0");
}

/** Nothing is known of the next packet. Inline stores: memory.fill is a call. @inline */
export function clearFlight(): void {
  for (let at: usize = 0; at < FLIGHT_SIZE; at += 16) v128.store(FLIGHT + at, i64x2.splat(0));
}

/** What the rule scan compares with the columns, in all lanes: last word of the destination, port and its complement, class bit. */
const AIM: usize = memory.data(48, 16);

export const DESTINATION_UNKNOWN: u32 = 0;
export const DESTINATION_ELSEWHERE: u32 = 1;
export const DESTINATION_LOCAL: u32 = 2;

/** Gives the packet a new destination, or its first one. @inline */
export function setDestination<A>(address: usize, portBe: u32): void {
  flight.askedSet = 0;
  flight.destinationKind = DESTINATION_UNKNOWN;
  copyAddress<A>(destinationAddress(), address);
  flight.destinationPort = portBe;
  const port = swapPort(portBe);
  v128.store(AIM, i32x4.splat(load<i32>(address + (offsetof<A>() - 4))));
  v128.store(AIM, i32x4.splat(port | (~port << 16)), 16);
  v128.store(AIM, i32x4.splat(1 << flight.class), 32);
}

export function aimAddress(): v128 {
  return v128.load(AIM);
}

export function aimPorts(): v128 {
  return v128.load(AIM, 16);
}

export function aimClass(): v128 {
  return v128.load(AIM, 32);
}
