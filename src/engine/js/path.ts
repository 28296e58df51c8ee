// A packet's way through the hooks, for new, invalid and known connections. docs/packet-path.md is the specification.
import { PATH_FORWARD, PATH_INPUT, PATH_IPVS, PATH_LOOPBACK, PATH_OUTPUT } from '../../../assembly/shared/layout.ts';
import { HOOK_PRIORITY, type Hook } from '../../program/ruleset.ts';
import { equalAddress } from './addresses.ts';
import type { Flight, Tuple } from './flight.ts';
import { type Surroundings, settleSource } from './nat.ts';
import { bindDestination, type Refusal, walkBaseChain } from './ruleset.ts';

/** IPVS listens at OUTPUT right after the translation of the destination (NF_IP_PRI_NAT_DST + 2). */
const IPVS_OUTPUT_PRIORITY = HOOK_PRIORITY.natDestination + 2;
const LOOPBACK_INTERFACE = 'lo';

/** Whose chains run: of priority `from` up to, not including, `below`. */
interface ChainFilter {
  readonly asksNat: boolean;
  readonly from?: number;
  readonly below?: number;
}

/** The chains that see the packet before conntrack does: INVALID to their matches, and UNTRACKED from a `CT --notrack` on. */
export function walkBeforeConntrack(flight: Flight, surroundings: Surroundings): Refusal | undefined {
  flight.state = 'INVALID';
  return runHook(firstHook(flight, surroundings), flight, surroundings, { asksNat: false, below: HOOK_PRIORITY.conntrack });
}

/** The way of a packet of no known connection. Undefined: it got through, and `flight.path` says where. */
export function walkNewPath(flight: Flight, surroundings: Surroundings): Refusal | undefined {
  return firstHook(flight, surroundings) === 'OUTPUT' ? walkFromNode(flight, surroundings) : walkFromOutside(flight, surroundings);
}

function firstHook({ hook, arrived }: Flight, { program }: Surroundings): 'PREROUTING' | 'OUTPUT' {
  return hook ?? (program.localAddresses.has(arrived.source) ? 'OUTPUT' : 'PREROUTING');
}

/** Where the chains of the first hook begin that the packet has not met yet. */
function firstPriority({ program }: Surroundings): number {
  return program.isAskedBeforeConntrack ? HOOK_PRIORITY.conntrack : Number.NEGATIVE_INFINITY;
}

function walkFromOutside(flight: Flight, surroundings: Surroundings): Refusal | undefined {
  const chains = { asksNat: flight.state === 'NEW' };
  const refusal = runHook('PREROUTING', flight, surroundings, { ...chains, from: firstPriority(surroundings) });
  if (refusal !== undefined) return refusal;
  if (!flight.isForProxy && !surroundings.program.localAddresses.has(flight.destination)) {
    flight.path = PATH_FORWARD;
    return runHook('FORWARD', flight, surroundings, chains) ?? runHook('POSTROUTING', flight, surroundings, chains);
  }
  flight.path = PATH_INPUT;
  const refused = runHook('INPUT', flight, surroundings, chains) ?? scheduleIpvs(flight, surroundings);
  if (refused !== undefined || flight.virtual === undefined) return refused;
  flight.path = PATH_IPVS;
  return runHook('OUTPUT', flight, surroundings, { asksNat: false }) ?? runHook('POSTROUTING', flight, surroundings, chains);
}

function walkFromNode(flight: Flight, surroundings: Surroundings): Refusal | undefined {
  const asksNat = flight.state === 'NEW';
  flight.path = PATH_OUTPUT;
  const refusal =
    runHook('OUTPUT', flight, surroundings, { asksNat, from: firstPriority(surroundings), below: IPVS_OUTPUT_PRIORITY }) ??
    scheduleIpvs(flight, surroundings) ??
    runHook('OUTPUT', flight, surroundings, { asksNat, from: IPVS_OUTPUT_PRIORITY }) ??
    runHook('POSTROUTING', flight, surroundings, { asksNat });
  if (refusal !== undefined || !surroundings.program.localAddresses.has(flight.destination)) return refusal;
  flight.path = PATH_LOOPBACK;
  if (flight.state === 'NEW' && !settleSource(flight, surroundings)) return 'DROP';
  return comeBackIn(flight, surroundings);
}

/** nat is not asked again: the connection has its answers. */
function comeBackIn(flight: Flight, surroundings: Surroundings): Refusal | undefined {
  flight.inInterface = LOOPBACK_INTERFACE;
  const chains = { asksNat: false };
  return runHook('PREROUTING', flight, surroundings, chains) ?? runHook('INPUT', flight, surroundings, chains);
}

/** The filter chains of a known connection's path. `translated` is the packet as it leaves. */
export function walkKnownPath(flight: Flight, path: number, translated: Tuple, surroundings: Surroundings): Refusal | undefined {
  const run = (hook: Hook, chains: Omit<ChainFilter, 'asksNat'> = {}) => runHook(hook, flight, surroundings, { asksNat: false, ...chains });
  const first = path === PATH_OUTPUT || path === PATH_LOOPBACK ? 'OUTPUT' : 'PREROUTING';
  const from = firstPriority(surroundings);

  // nf_nat translates the destination in the first hook; IPVS does so only after INPUT.
  if (path === PATH_IPVS) {
    const refusal = run('PREROUTING', { from }) ?? run('INPUT');
    if (refusal !== undefined) return refusal;
    takeDestination(flight, translated);
    return run('OUTPUT') ?? run('POSTROUTING');
  }
  const refusal = run(first, { from, below: HOOK_PRIORITY.natDestination });
  if (refusal !== undefined) return refusal;
  takeDestination(flight, translated);
  const refused = run(first, { from: HOOK_PRIORITY.natDestination });
  if (refused !== undefined) return refused;

  if (path === PATH_INPUT) return run('INPUT');
  if (path === PATH_FORWARD) return run('FORWARD') ?? run('POSTROUTING');
  const dropped = run('POSTROUTING');
  if (dropped !== undefined || path === PATH_OUTPUT) return dropped;
  flight.source = translated.source;
  flight.sourcePort = translated.sourcePort;
  return comeBackIn(flight, surroundings);
}

function takeDestination(flight: Flight, { destination, destinationPort }: Tuple): void {
  flight.destination = destination;
  flight.destinationPort = destinationPort;
}

function runHook(hook: Hook, flight: Flight, { program, state }: Surroundings, chains: ChainFilter): Refusal | undefined {
  const { asksNat, from = Number.NEGATIVE_INFINITY, below = Number.POSITIVE_INFINITY } = chains;
  const bindsDestination = hook === 'PREROUTING' || hook === 'OUTPUT';
  for (const base of program.hooks[hook]) {
    if (base.priority < from || base.priority >= below) continue;
    const isBound = bindsDestination ? flight.isDestinationBound : flight.isSourceBound;
    if (base.isNat && (!asksNat || isBound)) continue;
    const refusal = walkBaseChain(base, flight, state);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** Undefined: IPVS leaves the packet alone, or it has its destination now; `flight.virtual` tells. */
function scheduleIpvs(flight: Flight, { ipvs }: Surroundings): Refusal | undefined {
  const { arrived, destination, destinationPort } = flight;
  if (flight.state !== 'NEW') return undefined;
  if (destinationPort !== arrived.destinationPort || !equalAddress(destination, arrived.destination)) return undefined;
  const answer = ipvs.fromClient(flight.protocol, arrived, flight);
  switch (answer.kind) {
    case 'leave':
      return undefined;
    case 'drop':
      return 'DROP';
    case 'noServer':
      flight.servicePort = answer.servicePort;
      return 'REJECT';
    case 'forward':
      flight.virtual = { address: destination, port: destinationPort };
      bindDestination(flight, answer.address, answer.port, answer.servicePort);
      return undefined;
  }
}
