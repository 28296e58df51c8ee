// Sends connections through an Ipvs, one behind the other on a clock of its own: who begins when, and what each side says.
import type { Ipvs, IpvsPacket, ServerRef } from '../ipvs/types.ts';
import type { SctpChunk } from '../packet.ts';
import type { ClientEnd } from './ipvs-clients.ts';

/** Where a service's connections go to. */
export interface Target {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly address: string;
  readonly port: number;
  /** 0 for services by address. */
  readonly fwmark: number;
}

export interface Pace {
  /** Connections a second, to each service. */
  readonly rate: number;
  /** Seconds that a connection lasts; undefined: it stays open. */
  readonly duration: number | undefined;
}

export interface Choice {
  /** Seconds since the start. */
  readonly at: number;
  readonly client: ClientEnd;
  readonly target: Target;
  /** None: no usable server. */
  readonly server: ServerRef | undefined;
}

const FIN = 1;
const SYN = 2;
const ACK = 16;

interface Words {
  readonly from: 'client' | 'server';
  readonly tcpFlags?: number;
  readonly sctpChunk?: SctpChunk;
}

const OPENINGS: Readonly<Record<Target['protocol'], readonly Words[]>> = {
  TCP: [
    { from: 'client', tcpFlags: SYN },
    { from: 'server', tcpFlags: SYN | ACK },
    { from: 'client', tcpFlags: ACK },
  ],
  UDP: [{ from: 'client' }, { from: 'server' }],
  SCTP: [
    { from: 'client', sctpChunk: 'INIT' },
    { from: 'server', sctpChunk: 'INIT_ACK' },
    { from: 'client', sctpChunk: 'COOKIE_ECHO' },
    { from: 'server', sctpChunk: 'COOKIE_ACK' },
  ],
};

/** UDP has no end but its timeout. */
const CLOSINGS: typeof OPENINGS = {
  TCP: [
    { from: 'client', tcpFlags: FIN | ACK },
    { from: 'server', tcpFlags: FIN | ACK },
    { from: 'client', tcpFlags: ACK },
  ],
  UDP: [],
  SCTP: [
    { from: 'client', sctpChunk: 'SHUTDOWN' },
    { from: 'server', sctpChunk: 'SHUTDOWN_ACK' },
    { from: 'client', sctpChunk: 'SHUTDOWN_COMPLETE' },
  ],
};

/** What `simulate` sends over: its clock is set to each moment before anything happens. */
export interface Stage {
  readonly ipvs: Ipvs;
  setSeconds(seconds: number): void;
}

/** Each client opens its connection when its turn comes, at the same moment to every target. */
export function* sendConnections(
  stage: Stage,
  flows: readonly { readonly target: Target; readonly clients: readonly ClientEnd[] }[],
  pace: Pace,
): IterableIterator<Choice> {
  const turnCount = Math.max(0, ...flows.map(({ clients }) => clients.length));
  /** Open connections by their end, which comes in the order in which they began. */
  const open: Choice[] = [];
  let ended = 0;
  for (let turn = 0; turn < turnCount; turn++) {
    const at = turn / pace.rate;
    for (
      let first = open[ended];
      first !== undefined && pace.duration !== undefined && first.at + pace.duration <= at;
      first = open[ended]
    ) {
      ended++;
      stage.setSeconds(first.at + pace.duration);
      say(stage.ipvs, CLOSINGS[first.target.protocol], first);
    }
    stage.setSeconds(at);
    for (const { target, clients } of flows) {
      const client = clients[turn];
      if (client === undefined) continue;
      const choice = begin(stage.ipvs, target, client, at);
      if (pace.duration !== undefined && choice.server !== undefined) open.push(choice);
      yield choice;
    }
  }
}

function begin(ipvs: Ipvs, target: Target, client: ClientEnd, at: number): Choice {
  const [first, ...rest] = OPENINGS[target.protocol];
  const verdict = first === undefined ? undefined : ipvs.process(clientPacket(target, client, first));
  const choice = { at, client, target, server: verdict?.server };
  say(ipvs, rest, choice);
  return choice;
}

function say(ipvs: Ipvs, words: readonly Words[], { target, client, server }: Choice): void {
  if (server === undefined) return;
  for (const word of words)
    ipvs.process(word.from === 'client' ? clientPacket(target, client, word) : serverPacket(target, client, server, word));
}

function clientPacket({ protocol, address, port, fwmark }: Target, client: ClientEnd, { from, ...rest }: Words): IpvsPacket {
  const ends = { source: client.address, sourcePort: client.port, destination: address, destinationPort: port };
  return { protocol, ...ends, fwmark, direction: from, ...rest };
}

function serverPacket({ protocol }: Target, client: ClientEnd, server: ServerRef, { from, ...rest }: Words): IpvsPacket {
  const ends = { source: server.address, sourcePort: server.port, destination: client.address, destinationPort: client.port };
  return { protocol, ...ends, direction: from, ...rest };
}
