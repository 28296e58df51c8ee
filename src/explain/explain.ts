// explain: every outcome a new connection can have, with its exact probability. It samples nothing and belongs to neither engine.
import type { Explanation, Outcome } from '../dataplane-types.ts';
import type { Packet } from '../packet.ts';
import type { Program } from '../program/program.ts';
import { firstTcpState, tcpPacketKind } from '../program/tcp-states.ts';
import type { Refusal, Walk } from './chains.ts';
import { EveryWay } from './chance.ts';
import { walkHooks } from './hooks.ts';
import { beginWalk } from './packet.ts';
import { ProgramIndex } from './program-index.ts';

/**
 * Walks the Program once for each way that its random rules and schedulers can take the packet. Outcomes that agree in action,
 * backend, ServicePort and masquerade are one; its path is that of the first way.
 * @throws UnsupportedError when a scheduler on the way is not modelled.
 */
export function explainPacket(program: Program, packet: Packet): Explanation {
  const index = new ProgramIndex(program);
  const ways = new EveryWay();
  const outcomes = new Map<string, Outcome>();
  do {
    const outcome = outcomeOf(packet, index, ways);
    const key = JSON.stringify([outcome.action, outcome.backend, outcome.servicePort, outcome.masquerade, outcome.uncertain]);
    const known = outcomes.get(key);
    outcomes.set(key, known === undefined ? outcome : { ...known, probability: known.probability + outcome.probability });
  } while (ways.advance());
  return { outcomes: [...outcomes.values()] };
}

function outcomeOf(packet: Packet, index: ProgramIndex, ways: EveryWay): Outcome {
  const walked = beginWalk(packet, index.program.family);
  const canBegin = packet.protocol !== 'TCP' || firstTcpState(tcpPacketKind(packet.tcpFlags), true) !== 'INVALID';
  if (!canBegin) walked.state = 'INVALID';
  const walk: Walk = { index, packet: walked, chooser: ways, steps: [], keepsAll: false };
  const refusal = walkHooks(walk, packet.hook);
  return {
    ...decision(walk, refusal),
    probability: ways.probability,
    ...(walked.isUncertain ? { uncertain: true } : {}),
    path: walk.steps,
  };
}

/** What a walk came to. */
export function decision({ packet }: Walk, refusal: Refusal | undefined): Omit<Outcome, 'probability' | 'path'> {
  const isTranslated = refusal === undefined && packet.isDnat;
  const servicePort = refusal !== undefined || packet.isDnat ? packet.servicePort : packet.acceptedServicePort;
  return {
    action: refusal ?? (isTranslated ? 'DNAT' : 'ACCEPT'),
    ...(isTranslated ? { backend: { address: packet.destination.address.text, port: packet.destination.port } } : {}),
    ...(servicePort === undefined ? {} : { servicePort }),
    masquerade: refusal === undefined && packet.sourceTarget?.kind === 'masquerade',
  };
}
