// Connections of the TypeScript engine: what is entered, translated, remembered, and when it goes.
import { describe, expect, it } from 'vitest';
import type { Packet } from '../../../src/packet.ts';
import {
  baseChain,
  CLIENT,
  CLUSTER_IP,
  clusterIpProgram,
  filterProgram,
  NODE_IP,
  program,
  rule,
  toClusterIp,
  WEB,
} from './small-programs.ts';
import { ACK, FIN, packet, replyTo, TestNode } from './test-node.ts';

const ENDPOINTS = ['10.244.1.1', '10.244.1.2', '10.244.1.3'];

describe('a translated connection', () => {
  it('keeps its backend for every later packet', () => {
    const node = new TestNode(clusterIpProgram({ endpoints: ENDPOINTS }));
    const first = node.process(packet());
    const later = Array.from({ length: 20 }, () => node.process(packet()));
    expect(first).toMatchObject({ action: 'DNAT', connection: 'NEW', servicePort: WEB });
    for (const verdict of later) {
      expect(verdict).toMatchObject({ action: 'DNAT', connection: 'ESTABLISHED', servicePort: WEB });
      expect(verdict.backend).toEqual(first.backend);
    }
  });

  it('has its replies translated back to the ClusterIP', () => {
    const node = new TestNode(clusterIpProgram({ endpoints: ENDPOINTS }));
    const reply = node.process(replyTo(node.process(packet())));
    expect(reply).toMatchObject({ action: 'ACCEPT', connection: 'REPLY', servicePort: WEB });
    expect(reply.translated).toEqual({ source: CLUSTER_IP, sourcePort: 80, destination: CLIENT, destinationPort: 40000 });
  });

  it('keeps its backend when another Program is loaded', () => {
    const node = new TestNode(clusterIpProgram({ endpoints: ENDPOINTS.slice(0, 1) }));
    node.process(packet());
    node.engine.load(clusterIpProgram({ endpoints: ENDPOINTS.slice(2) }));
    expect(node.process(packet()).backend?.address).toBe('10.244.1.1');
    expect(node.process(packet({ sourcePort: 40001 })).backend?.address).toBe('10.244.1.3');
  });

  it('is chosen anew once it was deleted', () => {
    const node = new TestNode(clusterIpProgram({ endpoints: ENDPOINTS }));
    node.process(packet());
    expect(node.engine.deleteConnections(node.now, ({ original }) => original.destination === CLUSTER_IP)).toBe(1);
    expect(node.process(packet()).connection).toBe('NEW');
  });

  it('expires after its timeout and not before', () => {
    const node = new TestNode(clusterIpProgram({ endpoints: ENDPOINTS }));
    node.process(packet());
    node.now += 119_999;
    expect(node.connections()).toHaveLength(1);
    node.now += 1;
    expect(node.connections()).toHaveLength(0);
    expect(node.process(packet()).connection).toBe('NEW');
  });
});

describe('masquerade', () => {
  it('keeps the source port while it is free and finds another one when it is not', () => {
    const node = new TestNode(clusterIpProgram({ endpoints: ['10.244.1.1'], masqueradesAll: true }));
    const first = node.process(packet());
    const second = node.process(packet({ source: '10.0.0.98' }));
    expect(first).toMatchObject({ masquerade: true, translated: { source: NODE_IP, sourcePort: 40000 } });
    expect(second.translated.source).toBe(NODE_IP);
    expect(second.translated.sourcePort).not.toBe(40000);
    expect(second.translated.sourcePort).toBeGreaterThanOrEqual(1024);
  });

  it('gives every one of many clients a reply tuple of its own', () => {
    const node = new TestNode(clusterIpProgram({ endpoints: ['10.244.1.1'], masqueradesAll: true, randomFully: true }));
    const ports = Array.from({ length: 500 }, (_, index) => node.process(packet({ sourcePort: 2000 + index })).translated.sourcePort);
    expect(new Set(ports).size).toBe(500);
  });

  it('keeps a privileged source port privileged', () => {
    const node = new TestNode(clusterIpProgram({ endpoints: ['10.244.1.1'], masqueradesAll: true, randomFully: true }));
    expect(node.process(packet({ sourcePort: 100 })).translated.sourcePort).toBeLessThan(512);
    const { sourcePort } = node.process(packet({ sourcePort: 700 })).translated;
    expect(sourcePort).toBeGreaterThanOrEqual(600);
    expect(sourcePort).toBeLessThan(1024);
  });

  it('drops when the node has no address to masquerade with', () => {
    const { masqueradeAddress: _, ...without } = clusterIpProgram({ endpoints: ['10.244.1.1'], masqueradesAll: true });
    const node = new TestNode(without);
    expect(node.process(packet())).toMatchObject({ action: 'DROP', connection: 'NEW', servicePort: WEB, masquerade: false });
    expect(node.engine.counters(node.now)).toMatchObject({ insertFailed: 1, dropped: 1, newConnections: 0, connections: 0 });
  });

  it('drops when no source port is left', () => {
    const node = new TestNode(clusterIpProgram({ endpoints: ['10.244.1.1'], masqueradesAll: true }), { conntrackMax: 5000 });
    const verdicts = Array.from({ length: 600 }, (_, index) =>
      node.process(packet({ source: `10.1.${index >> 8}.${index & 255}`, sourcePort: 400 })),
    );
    const ports = verdicts.filter(({ action }) => action === 'DNAT').map(({ translated }) => translated.sourcePort);
    expect(new Set(ports).size).toBe(ports.length);
    expect(node.engine.counters(node.now).insertFailed).toBeGreaterThanOrEqual(89);
  });
});

it('an untranslated packet gets another source port when its reply tuple is taken', () => {
  const node = new TestNode(clusterIpProgram({ endpoints: ['10.244.1.1'] }));
  node.process(packet());
  const direct = node.process(packet({ destination: '10.244.1.1', destinationPort: 8080 }));
  expect(direct).toMatchObject({ action: 'ACCEPT', connection: 'NEW', masquerade: false });
  expect(direct.translated.source).toBe(CLIENT);
  expect(direct.translated.sourcePort).not.toBe(40000);
});

it('a rejected packet leaves no entry, so that the next one is NEW again', () => {
  const reject = rule(toClusterIp, { kind: 'reject', with: 'icmp-port-unreachable' }, WEB);
  const node = new TestNode(filterProgram([baseChain('FORWARD', 'filter', [reject])]));
  expect(node.process(packet())).toMatchObject({ action: 'REJECT', connection: 'NEW', servicePort: WEB });
  expect(node.process(packet())).toMatchObject({ action: 'REJECT', connection: 'NEW' });
  expect(node.connections()).toHaveLength(0);
  expect(node.engine.counters(node.now)).toMatchObject({ packets: 2, rejected: 2, newConnections: 0 });
});

it('a packet to its own address is entered and found in its original direction', () => {
  const node = new TestNode(program());
  const self = packet({ protocol: 'UDP', source: NODE_IP, destination: NODE_IP, sourcePort: 9, destinationPort: 9 });
  expect(node.process(self).connection).toBe('NEW');
  expect(node.process(self).connection).toBe('ESTABLISHED');
});

describe('conntrackMax', () => {
  /** Opens a connection that may not go early. */
  function open(node: TestNode, parts: Partial<Packet>): void {
    node.process(replyTo(node.process(packet(parts))));
    node.process(packet({ ...parts, tcpFlags: ACK }));
  }

  it('drops new connections before any rule while all that stand are assured', () => {
    const node = new TestNode(clusterIpProgram({ endpoints: ENDPOINTS }), { conntrackMax: 2 });
    open(node, { sourcePort: 1 });
    open(node, { sourcePort: 2 });
    const third = node.process(packet({ sourcePort: 3 }));
    expect(third).toMatchObject({ action: 'DROP', connection: 'NEW', rulesEvaluated: 0 });
    expect(third).not.toHaveProperty('servicePort');
    expect(node.process(packet({ sourcePort: 1, tcpFlags: ACK })).connection).toBe('ESTABLISHED');
    expect(node.engine.counters(node.now)).toMatchObject({ conntrackFull: 1, earlyDropped: 0, dropped: 1, newConnections: 2 });
  });

  it('drops an unassured connection early for a new one', () => {
    const node = new TestNode(clusterIpProgram({ endpoints: ENDPOINTS }), { conntrackMax: 2 });
    open(node, { sourcePort: 1 });
    node.process(packet({ sourcePort: 2 }));
    expect(node.process(packet({ sourcePort: 3 })).connection).toBe('NEW');
    expect(node.connections().map(({ original }) => original.sourcePort)).toEqual([1, 3]);
    expect(node.engine.counters(node.now)).toMatchObject({ conntrackFull: 0, earlyDropped: 1, connections: 2 });
  });

  it('drops a connection that is closing early, assured or not', () => {
    const node = new TestNode(clusterIpProgram({ endpoints: ENDPOINTS }), { conntrackMax: 1 });
    open(node, { sourcePort: 1 });
    expect(node.process(packet({ sourcePort: 2 })).action).toBe('DROP');
    node.process(packet({ sourcePort: 1, tcpFlags: FIN | ACK }));
    expect(node.process(packet({ sourcePort: 2 })).action).toBe('DNAT');
  });

  it('counts both families together and makes room as connections expire', () => {
    const node = new TestNode(program(), { conntrackMax: 1 });
    open(node, {});
    const v6 = packet({ protocol: 'UDP', source: 'fd00::1', destination: 'fd00::2' });
    expect(node.process(v6).action).toBe('DROP');
    node.now += 432_000_000;
    expect(node.process(v6).action).toBe('ACCEPT');
    expect(node.engine.counters(node.now)).toMatchObject({ earlyDropped: 0, connections: 1 });
  });
});

it('a new connection may be picked up in the middle only when nf_conntrack_tcp_loose is on', () => {
  const middle = packet({ tcpFlags: ACK });
  expect(new TestNode(program()).process(middle).connection).toBe('NEW');
  expect(new TestNode(program(), { tcpLoose: false }).process(middle).connection).toBe('INVALID');
});

it('a clock that goes back counts as the one before', () => {
  const node = new TestNode(program());
  node.now = 100_000;
  node.process(packet({ protocol: 'UDP' }));
  node.now = 50_000;
  expect(node.connections()[0]?.expiresInMs).toBe(30_000);
  expect(node.process(packet({ protocol: 'UDP' })).connection).toBe('ESTABLISHED');
});
