// The end of a packet that is no matter for IPVS: on a machine that owns the address and has no listener.
import type { EnginePacket } from './engine.ts';
import type { IpvsVerdict } from './types.ts';

const RST = 4;

/** What becomes of it: a server's packet passes as it is, a client's is answered as TCP, UDP or SCTP do where nobody listens. */
export function leaveAlone({ isFromServer, isIcmpError, protocol, source, sourcePort, tcpFlags }: EnginePacket): IpvsVerdict {
  if (isFromServer) {
    const untranslated = { address: source.text, port: sourcePort };
    return { action: 'ACCEPT', source: untranslated, ...(isIcmpError ? { about: untranslated } : {}) };
  }
  if (isIcmpError) return { action: 'DROP' };
  if (protocol !== 'TCP') return { action: 'REJECT' };
  return { action: (tcpFlags & RST) !== 0 ? 'DROP' : 'RESET' };
}
