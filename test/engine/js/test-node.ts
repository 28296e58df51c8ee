// A node for tests: one TypeScript engine with a clock that stands still until it is told otherwise.
import type { Engine, EngineOptions, TrackedConnection } from '../../../src/engine/engine.ts';
import { nodeIpvsSysctls } from '../../../src/engine/ipvs-sysctls.ts';
import { createJsEngine } from '../../../src/engine/js/engine.ts';
import { readVerdict, writePacket } from '../../../src/engine/packet-record.ts';
import type { Packet, Verdict } from '../../../src/packet.ts';
import type { Program } from '../../../src/program/program.ts';
import { CLIENT, CLUSTER_IP } from './small-programs.ts';

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const ACK = 16;

const options: EngineOptions = {
  seed: 7,
  conntrackMax: 1000,
  tcpLoose: true,
  ipvsSysctls: nodeIpvsSysctls('ipvs'),
  timeouts: {
    tcpSynSent: 120,
    tcpSynRecv: 60,
    tcpEstablished: 432000,
    tcpFinWait: 120,
    tcpCloseWait: 60,
    tcpLastAck: 30,
    tcpTimeWait: 120,
    tcpClose: 10,
    tcpUnacknowledged: 300,
    udp: 30,
    udpStream: 120,
    sctpClosed: 10,
    sctpCookieWait: 3,
    sctpCookieEchoed: 3,
    sctpEstablished: 210,
    sctpShutdownSent: 3,
    sctpShutdownRecd: 3,
    sctpShutdownAckSent: 3,
    sctpHeartbeatSent: 30,
  },
};

export class TestNode {
  readonly engine: Engine;
  now = 1000;

  constructor(program: Program, parts: Partial<EngineOptions> = {}) {
    this.engine = createJsEngine({ ...options, ...parts });
    this.engine.load(program);
  }

  process(packet: Packet): Verdict {
    const family = packet.source.includes(':') ? 'IPv6' : 'IPv4';
    const batch = this.engine.createBatch(family, 1);
    writePacket(batch.packetWords(), 0, family, packet, this.engine.interfaceId(packet.inInterface ?? ''));
    this.engine.processBatch(batch, 1, this.now);
    return readVerdict(batch.verdictWords(), 0, family, (id) => this.engine.servicePortName(id));
  }

  connections(): TrackedConnection[] {
    return [...this.engine.connections(this.now)];
  }

  /** The state of the only connection. */
  state(): string | undefined {
    return this.connections()[0]?.state;
  }
}

/** A packet from a client to the ClusterIP. */
export function packet(parts: Partial<Packet> = {}): Packet {
  return { protocol: 'TCP', source: CLIENT, sourcePort: 40000, destination: CLUSTER_IP, destinationPort: 80, ...parts };
}

/** The answer to a packet that left with this verdict. */
export function replyTo(verdict: Verdict, parts: Partial<Packet> = {}): Packet {
  const { source, sourcePort, destination, destinationPort } = verdict.translated;
  return {
    ...packet(),
    source: destination,
    sourcePort: destinationPort,
    destination: source,
    destinationPort: sourcePort,
    tcpFlags: SYN | ACK,
    ...parts,
  };
}
