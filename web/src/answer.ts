// What the library says about a question: every outcome, this packet's way, and the way of its reply.
import { type Dataplane, type Explanation, type Packet, type ServicePortView, SvcplaneError, type Trace } from 'svcplane';
import type { Cluster } from 'svcplane/cluster';
import { type DataplaneSettings, openNode, type Question } from './question.ts';

export interface Answer {
  readonly packet: Packet;
  readonly engine: Dataplane['engine'];
  readonly explanation: Explanation;
  readonly trace: Trace;
  /** Absent when nothing that a backend could answer left the node. */
  readonly reply?: { readonly packet: Packet; readonly trace: Trace };
  readonly warnings: readonly string[];
}

/** What can be asked and answered now. */
export interface Asked {
  readonly question: Question;
  readonly answer: Answer;
}

const TCP_SYN_ACK = 18;

/** Or one sentence: why it cannot be answered. */
export function answer(question: Question, cluster: Cluster, settings: DataplaneSettings): Answer | string {
  const warnings: string[] = [];
  try {
    using connected = openNode(cluster, question.node, { ...settings, now: () => 0, onWarning: (message) => warnings.push(message) });
    const { dataplane } = connected;
    const { packet } = question;
    const explanation = dataplane.explain(packet);
    const trace = dataplane.trace(packet);
    const { action, translated } = dataplane.process(packet);
    const { engine } = dataplane;
    if (action !== 'DNAT' && action !== 'ACCEPT') return { packet, engine, explanation, trace, warnings };
    const back: Packet = {
      protocol: packet.protocol,
      source: translated.destination,
      sourcePort: translated.destinationPort,
      destination: translated.source,
      destinationPort: translated.sourcePort,
      tcpFlags: TCP_SYN_ACK,
    };
    return { packet, engine, explanation, trace, reply: { packet: back, trace: dataplane.trace(back) }, warnings };
  } catch (error) {
    if (error instanceof SvcplaneError) return error.message;
    throw error;
  }
}

/** What this node would do for each ServicePort, whatever the mode. */
export function servicePortsOf(cluster: Cluster, question: Pick<Question, 'node'>): readonly ServicePortView[] {
  using connected = openNode(cluster, question.node, { mode: 'iptables', engine: 'js', scheduler: 'rr' });
  return connected.dataplane.servicePorts();
}
