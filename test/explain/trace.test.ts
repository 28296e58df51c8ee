// Traces: the steps of one packet, and a verdict that is always the one that processing it gives next.
import { describe, expect, it } from 'vitest';
import { explainPacket } from '../../src/explain/explain.ts';
import { tracePacket } from '../../src/explain/trace.ts';
import { SCHEDULERS } from '../../src/ipvs/keys.ts';
import type { Packet } from '../../src/packet.ts';
import type { Program } from '../../src/program/program.ts';
import {
  baseChain,
  CLUSTER_IP,
  chain,
  clusterIpProgram,
  filterProgram,
  NODE_IP,
  program,
  rule,
  virtualService,
} from '../engine/js/small-programs.ts';
import { ACK, FIN, packet, RST, replyTo, SYN, TestNode } from '../engine/js/test-node.ts';

function trace(node: TestNode, traced: Program, sent: Packet) {
  return tracePacket(traced, sent, node.engine.view(traced.family, node.now), { now: node.now });
}

/** Traces and processes a mix of packets, each of which has to end as foreseen and as explained. */
function expectForeseen(traced: Program, packetCount = 300): void {
  const node = new TestNode(traced);
  const sent: Packet[] = [];
  for (let index = 0; index < packetCount; index++) {
    node.now += (index % 7) * 500;
    const earlier = sent[(index * 7) % (sent.length || 1)];
    const fresh = packet({
      protocol: index % 5 === 4 ? 'UDP' : 'TCP',
      source: [`10.0.0.${index % 9}`, NODE_IP, '10.244.0.1'][index % 3] ?? NODE_IP,
      sourcePort: [40000, 40001, 700, 300][index % 4] ?? 40000,
      destination: index % 11 === 10 ? NODE_IP : CLUSTER_IP,
      mark: index % 13,
      tcpFlags: [SYN, SYN, SYN, ACK, FIN | ACK, RST][index % 6] ?? SYN,
    });
    const next = earlier !== undefined && index % 3 === 2 ? earlier : fresh;
    const foreseen = trace(node, traced, next);
    const explained = explainPacket(traced, next, node.engine.view(traced.family, node.now));
    const isBound = foreseen.steps.some((step) => step.kind === 'ipvs' && /its (connection|client)/.test(step.text));
    const verdict = node.process(next);
    expect(foreseen.verdict, `packet ${index}`).toEqual(verdict);
    if (verdict.connection === 'NEW') {
      const key = ({
        action,
        backend,
        servicePort,
        masquerade,
      }: Pick<typeof verdict, 'action' | 'backend' | 'servicePort' | 'masquerade'>) =>
        JSON.stringify([action, backend, servicePort, masquerade]);
      if (!isBound) expect(explained.outcomes.map(key), `packet ${index}`).toContain(key(verdict));
      sent.push(next, replyTo(verdict, { protocol: next.protocol }));
    }
  }
}

const filterChains = [
  baseChain('FORWARD', 'filter', [
    rule([{ kind: 'conntrackState', states: ['INVALID'] }], { kind: 'drop' }),
    rule([{ kind: 'mark', value: 5, mask: 0xf }], { kind: 'drop' }, 'default/guard'),
    rule([{ kind: 'statistic', threshold: 0x40000000 }], { kind: 'none' }),
  ]),
  baseChain('INPUT', 'filter', [rule([{ kind: 'inInterface', name: 'lo' }], { kind: 'accept' }, 'default/lo')]),
];

describe('a trace ends as processing does', () => {
  it('for a Service with random endpoints and filter chains that must run', () => {
    expectForeseen(clusterIpProgram({ endpoints: ['10.244.0.1', '10.244.0.2', '10.244.0.3'], filterChains }));
  });

  it('for masqueraded connections and their source ports', () => {
    expectForeseen(clusterIpProgram({ endpoints: ['10.244.0.1', '10.244.0.2'], masqueradesAll: true, filterChains }));
    expectForeseen(clusterIpProgram({ endpoints: ['10.244.0.1'], masqueradesAll: true, randomFully: true }));
  });

  it('for a backend on this node', () => {
    expectForeseen(clusterIpProgram({ endpoints: [NODE_IP, '10.244.0.1'], masqueradesAll: true, filterChains }));
  });

  it('for session affinity', () => {
    expectForeseen(clusterIpProgram({ endpoints: ['10.244.0.1', '10.244.0.2', '10.244.0.3'], affinitySeconds: 3 }));
  });

  it.each(SCHEDULERS)('for scheduler %s, with and without persistence', (scheduler) => {
    const destinations = ['1', '2', '3', '4'].map((name, index) => ({ address: `10.244.0.${name}`, port: 8080, weight: index % 3 }));
    for (const persistence of [{}, { persistence: { timeoutSeconds: 40 } }]) {
      expectForeseen(
        filterProgram(filterChains, {
          localAddresses: [NODE_IP, CLUSTER_IP],
          virtualServices: [
            virtualService({ scheduler, destinations, ...persistence }),
            virtualService({ protocol: 'UDP', scheduler, destinations: [] }),
          ],
        }),
      );
    }
  });

  it('for maps and random maps', () => {
    const chains = ['a', 'b', 'c'];
    expectForeseen(
      program({
        tables: [
          {
            name: 'kube-proxy',
            chains: [
              { ...baseChain('PREROUTING', 'nat', [rule([], { kind: 'verdictMap', map: 'service-ips' })]), name: 'nat-prerouting' },
              { ...baseChain('OUTPUT', 'nat', [rule([], { kind: 'verdictMap', map: 'service-ips' })]), name: 'nat-output' },
              chain('service', rule([], { kind: 'randomVerdictMap', chains })),
              ...chains.map((name, index) =>
                chain(name, rule([], { kind: 'dnat', address: `10.244.0.${index + 1}`, port: 8080 }, 'default/web')),
              ),
              { ...baseChain('FORWARD', 'filter', [rule([], { kind: 'verdictMap', map: 'no-endpoints' })]), name: 'filter-forward' },
              chain('reject-chain', rule([], { kind: 'reject', with: 'icmp-port-unreachable' })),
            ],
          },
        ],
        maps: [
          {
            name: 'service-ips',
            key: ['address', 'protocol', 'port'],
            elements: [{ key: [CLUSTER_IP, 'tcp', 80], verdict: { kind: 'goto', chain: 'service' } }],
          },
          {
            name: 'no-endpoints',
            key: ['address', 'protocol', 'port'],
            elements: [{ key: [CLUSTER_IP, 'udp', 80], verdict: { kind: 'goto', chain: 'reject-chain' }, servicePort: 'default/dns' }],
          },
        ],
      }),
    );
  });
});

describe('a trace', () => {
  const traced = clusterIpProgram({ endpoints: ['10.244.0.1', '10.244.0.2'] });

  it('shows every rule it meets, matching or not, as many as it counts', () => {
    const { steps, verdict } = trace(new TestNode(traced), traced, packet());
    const rules = steps.filter((step) => step.kind === 'rule');
    expect(rules).toHaveLength(verdict.rulesEvaluated);
    expect(rules.some(({ matched }) => !matched)).toBe(true);
  });

  it('moves nothing', () => {
    const node = new TestNode(traced);
    trace(node, traced, packet());
    expect(node.connections()).toHaveLength(0);
    expect(node.engine.counters(node.now).packets).toBe(0);
  });

  it('of a known connection shows conntrack and its translation', () => {
    const node = new TestNode(traced);
    node.process(replyTo(node.process(packet())));
    expect(trace(node, traced, packet({ tcpFlags: ACK })).steps.map(({ kind }) => kind)).toEqual(['conntrack', 'translation']);
  });

  it('of a connection that nobody has answered shows the chains that it meets as a new one', () => {
    const node = new TestNode(traced);
    node.process(packet());
    const { steps, verdict } = trace(node, traced, packet());
    expect(steps[0]).toMatchObject({ kind: 'conntrack', text: 'known connection in state SYN_SENT, not answered yet, original direction' });
    expect(steps.map(({ kind }) => kind)).toContain('hook');
    expect(verdict).toEqual(node.process(packet()));
  });

  it('foresees that a closed connection begins again with the source port it had', () => {
    const node = new TestNode(traced);
    const opened = node.process(packet());
    node.process(replyTo(opened));
    node.process(packet({ tcpFlags: ACK }));
    node.process(packet({ tcpFlags: RST }));
    const foreseen = trace(node, traced, packet());
    expect(foreseen.verdict).toMatchObject({ connection: 'NEW', translated: { sourcePort: 40000 } });
    expect(foreseen.verdict).toEqual(node.process(packet()));
  });

  it('foresees that a SYN is ignored when the server has aborted', () => {
    const node = new TestNode(traced);
    const opened = node.process(packet());
    node.process(replyTo(opened));
    node.process(replyTo(opened, { tcpFlags: RST }));
    const foreseen = trace(node, traced, packet());
    expect(foreseen.verdict.connection).toBe('ESTABLISHED');
    expect(foreseen.verdict).toEqual(node.process(packet()));
  });

  it('foresees a full table', () => {
    const node = new TestNode(traced, { conntrackMax: 0 });
    const foreseen = trace(node, traced, packet());
    expect(foreseen.verdict).toMatchObject({ action: 'DROP', connection: 'NEW' });
    expect(foreseen.verdict).toEqual(node.process(packet()));
  });
});
