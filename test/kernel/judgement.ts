// Whether what the kernel did is among the outcomes that explain foretold.
import type { Outcome } from '../../src/dataplane-types.ts';
import type { Network } from './network.ts';
import { MASQUERADE_ADDRESSES } from './network.ts';
import type { Attempt, Observation } from './wire.ts';

/** The outcome that the observation is an instance of; undefined: none of them. */
export function outcomeSeen(
  outcomes: readonly Outcome[],
  attempt: Attempt,
  observation: Observation,
  network: Network,
): Outcome | undefined {
  return outcomes.find((outcome) => isInstance(outcome, attempt, observation, network));
}

function isInstance(outcome: Outcome, attempt: Attempt, observation: Observation, network: Network): boolean {
  switch (observation.kind) {
    case 'refused':
      return outcome.action === 'REJECT';
    case 'silent':
      return outcome.action === 'DROP';
    case 'failed':
      return false;
    case 'reached': {
      const target = targetOf(outcome, attempt);
      if (target === undefined || target.address !== observation.address || target.port !== observation.port) return false;
      return isMasqueradeRight(outcome.masquerade, attempt, observation, network);
    }
  }
}

/** Where a connection of this outcome arrives: ACCEPT leaves the destination as it was. */
function targetOf({ action, backend }: Outcome, { destination, port }: Attempt): { address: string; port: number } | undefined {
  if (action === 'ACCEPT') return { address: destination, port };
  return action === 'DNAT' && backend !== undefined ? backend : undefined;
}

function isMasqueradeRight(
  isMasquerade: boolean,
  attempt: Attempt,
  observation: Extract<Observation, { kind: 'reached' }>,
  network: Network,
): boolean {
  const keepsSource = observation.source === attempt.source;
  if (!isMasquerade) return keepsSource && observation.sourcePort === attempt.sourcePort;
  if (MASQUERADE_ADDRESSES.includes(observation.source)) return true;
  // IPv6 picks the address that is nearest to the destination, which can be the node's own: then nothing changes for its own packets.
  return network.placeOf(observation.source) === 'node' && (!keepsSource || network.placeOf(attempt.source) === 'node');
}
