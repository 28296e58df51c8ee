// The source side of a translation: masquerade and snat, and a source port that keeps the reply tuple unique,
// searched as nf_nat_l4proto_unique_tuple does.
import type { Conntrack } from './conntrack.ts';
import type { Flight, Tuple } from './flight.ts';
import type { NodeIpvs } from './ipvs.ts';
import type { LoadedProgram } from './loaded-program.ts';
import type { EngineState } from './state.ts';

/** What packets of one family run in. */
export interface Surroundings {
  readonly program: LoadedProgram;
  readonly conntrack: Conntrack;
  readonly state: EngineState;
  readonly ipvs: NodeIpvs;
}

/** Ports that nf_nat tries before it draws again with half the patience, and the patience at which it gives up. */
const ATTEMPTS_MAX = 128;
const ATTEMPTS_MIN = 16;
const RANDOM_16_BITS = 0xffff;

/** The tuple that answers to this packet carry. */
export function replyTuple(flight: Flight): Tuple {
  return {
    source: flight.destination,
    sourcePort: flight.destinationPort,
    destination: flight.source,
    destinationPort: flight.sourcePort,
  };
}

/** Settles source address and port, once. False: there is no address to masquerade with, or no port left. */
export function settleSource(flight: Flight, surroundings: Surroundings): boolean {
  if (flight.isSourceSettled) return true;
  flight.isSourceSettled = true;
  const isSettled = settleAddress(flight, surroundings) && settlePort(flight, surroundings);
  if (!isSettled) surroundings.state.counters.insertFailed++;
  return isSettled;
}

function settleAddress(flight: Flight, { program }: Surroundings): boolean {
  const translation = flight.sourceTranslation;
  if (translation === undefined) return true;
  const address = translation.kind === 'snat' ? translation.address : program.masqueradeAddress;
  if (address === undefined) return false;
  flight.source = address;
  return true;
}

function settlePort(flight: Flight, surroundings: Surroundings): boolean {
  const translation = flight.sourceTranslation;
  if (translation?.kind === 'snat' && translation.port !== undefined) {
    flight.sourcePort = translation.port;
    return isUnique(flight, surroundings);
  }
  const isRandom = translation?.kind === 'masquerade' && translation.randomFully;
  // A packet without any translation may clash too: with a connection that another translation gave the same reply tuple.
  return (!isRandom && isUnique(flight, surroundings)) || searchPort(flight, surroundings);
}

function searchPort(flight: Flight, surroundings: Surroundings): boolean {
  const [lowest, highest] = portRange(flight.sourcePort);
  const size = highest - lowest + 1;
  let attempts = Math.min(size, ATTEMPTS_MAX);
  while (true) {
    const offset = surroundings.state.draw() & RANDOM_16_BITS;
    for (let attempt = 0; attempt < attempts; attempt++) {
      flight.sourcePort = lowest + ((offset + attempt) % size);
      if (isUnique(flight, surroundings)) return true;
    }
    if (attempts >= size || attempts < ATTEMPTS_MIN) return false;
    attempts = Math.floor(attempts / 2);
  }
}

/** Privileged ports stay privileged. */
function portRange(port: number): readonly [number, number] {
  if (port < 512) return [1, 511];
  return port < 1024 ? [600, 1023] : [1024, 65535];
}

function isUnique(flight: Flight, { conntrack, state }: Surroundings): boolean {
  return conntrack.lookup(flight.protocol, replyTuple(flight), state.now) === undefined;
}
