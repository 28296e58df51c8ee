// What became of a packet, as the public verdict says it.
import type { EnginePacket } from '../engine.ts';
import { leaveAlone } from '../leave-alone.ts';
import type { IpvsVerdict } from '../types.ts';
import type { PacketOutcome } from './packet.ts';

export function verdictOf(outcome: PacketOutcome, packet: EnginePacket): IpvsVerdict {
  switch (outcome.kind) {
    case 'forward': {
      const { server, serverPort } = outcome.connection;
      return { action: 'FORWARD', server: { address: server.key.address.text, port: serverPort } };
    }
    case 'translate': {
      const { virtual, virtualPort } = outcome.connection;
      const source = { address: virtual.text, port: virtualPort };
      return { action: 'ACCEPT', source, ...(packet.isIcmpError ? { about: source } : {}) };
    }
    case 'noServer':
      return { action: 'REJECT' };
    case 'drop':
      return { action: 'DROP' };
    case 'leave':
      return leaveAlone(packet);
  }
}
