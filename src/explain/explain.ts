// explain: every outcome a new connection can have, with its exact probability. It samples nothing and belongs to neither engine.
import type { Explanation, Outcome } from '../dataplane-types.ts';
import type { Packet } from '../packet.ts';
import { firstState } from '../program/connection-states.ts';
import type { Program } from '../program/program.ts';
import { EveryChance } from './chance.ts';
import { walkBeforeConntrack, walkHooks } from './hooks.ts';
import { beginPacket } from './packet.ts';
import { indexOfProgram } from './program-index.ts';
import type { IpvsView } from './scheduling.ts';
import { beginWay, stepsOf, type Way } from './way.ts';

/**
 * Walks the Program in every way that its random rules and schedulers can take the packet. Outcomes that agree in action,
 * backend, ServicePort and masquerade are one; its path is that of the first way.
 * @param view what IPVS has at the moment; without one, nobody is connected.
 */
export function explainPacket(program: Program, packet: Packet, view?: IpvsView): Explanation {
  const walk = { index: indexOfProgram(program), chooser: new EveryChance(view), keepsAll: false };
  const walked = beginPacket(packet, program.family);
  const canBegin = firstState(packet, true) !== 'INVALID';
  const ways = walkBeforeConntrack(walk, beginWay(walked), packet.hook).flatMap((way) => {
    if (way.refusal !== undefined) return [way];
    if (way.packet.state !== 'UNTRACKED') way.packet.state = canBegin ? 'NEW' : 'INVALID';
    return walkHooks(walk, way, packet.hook);
  });
  return { outcomes: outcomesOf(ways) };
}

function outcomesOf(ways: readonly Way[]): Outcome[] {
  const groups = new Map<string, { readonly first: Way; probability: number }>();
  for (const way of ways) {
    const { action, backend, servicePort, masquerade } = decision(way);
    const key = [action, backend?.address, backend?.port, servicePort, masquerade, way.packet.isUncertain].join(' ');
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { first: way, probability: way.probability });
    else known.probability += way.probability;
  }
  return [...groups.values()].map(({ first, probability }) => outcomeOf(first, probability));
}

/** Its path is put together when somebody reads it. */
function outcomeOf(way: Way, probability: number): Outcome {
  let path: Outcome['path'] | undefined;
  return {
    ...decision(way),
    probability,
    ...(way.packet.isUncertain ? { uncertain: true } : {}),
    get path() {
      path ??= stepsOf(way);
      return path;
    },
  };
}

/** What a walk came to. */
export function decision({ packet, refusal }: Way): Omit<Outcome, 'probability' | 'path'> {
  const isTranslated = refusal === undefined && packet.isDnat;
  const servicePort = refusal !== undefined || packet.isDnat ? packet.servicePort : packet.acceptedServicePort;
  return {
    action: refusal ?? (isTranslated ? 'DNAT' : 'ACCEPT'),
    ...(isTranslated ? { backend: { address: packet.destination.address.text, port: packet.destination.port } } : {}),
    ...(servicePort === undefined ? {} : { servicePort }),
    masquerade: refusal === undefined && packet.sourceTarget?.kind === 'masquerade',
  };
}
