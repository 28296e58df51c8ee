// TCP, UDP and SCTP states of the TypeScript engine, as nf_conntrack keeps them.
import { describe, expect, it } from 'vitest';
import { baseChain, filterProgram, program, rule } from './small-programs.ts';
import { ACK, FIN, packet, RST, replyTo, SYN, TestNode } from './test-node.ts';

/** A node with a TCP connection, and its two ends. */
function tcpNode() {
  const node = new TestNode(program());
  const opened = node.process(packet());
  const client = (tcpFlags: number) => node.process(packet({ tcpFlags }));
  const server = (tcpFlags: number) => node.process(replyTo(opened, { tcpFlags }));
  return { node, client, server };
}

function establish() {
  const ends = tcpNode();
  ends.server(SYN | ACK);
  ends.client(ACK);
  return ends;
}

describe('TCP', () => {
  it('walks from the handshake to TIME_WAIT', () => {
    const { node, client, server } = tcpNode();
    const states = [node.state()];
    const step = (send: (flags: number) => unknown, flags: number) => {
      send(flags);
      states.push(node.state());
    };
    step(server, SYN | ACK);
    step(client, ACK);
    step(client, FIN | ACK);
    step(server, ACK);
    step(server, FIN | ACK);
    step(client, ACK);
    expect(states).toEqual(['SYN_SENT', 'SYN_RECV', 'ESTABLISHED', 'FIN_WAIT', 'CLOSE_WAIT', 'LAST_ACK', 'TIME_WAIT']);
  });

  it('gives each state its timeout', () => {
    const { node, client, server } = tcpNode();
    const left = () => node.connections()[0]?.expiresInMs;
    expect(left()).toBe(120_000);
    server(SYN | ACK);
    expect(left()).toBe(60_000);
    client(ACK);
    expect(left()).toBe(432_000_000);
    client(RST);
    expect(left()).toBe(10_000);
  });

  it('is assured once it is established after a reply', () => {
    const { node, client, server } = tcpNode();
    server(SYN | ACK);
    expect(node.connections()[0]).toMatchObject({ seenReply: true, assured: false });
    client(ACK);
    expect(node.connections()[0]).toMatchObject({ assured: true });
  });

  it('begins again with a SYN once both sides have closed', () => {
    const { node, client, server } = establish();
    client(FIN | ACK);
    server(FIN | ACK);
    client(ACK);
    expect(node.state()).toBe('TIME_WAIT');
    expect(client(SYN).connection).toBe('NEW');
    expect(node.state()).toBe('SYN_SENT');
    expect(node.connections()).toHaveLength(1);
  });

  it('begins again with a SYN right after the client aborted', () => {
    const { client } = establish();
    client(RST);
    expect(client(SYN).connection).toBe('NEW');
  });

  it('ignores a SYN after the server aborted', () => {
    const { node, client, server } = establish();
    server(RST);
    expect(client(SYN).connection).toBe('ESTABLISHED');
    expect(node.state()).toBe('CLOSE');
  });

  it('forgets a connection whose only answer is a RST', () => {
    const { node, server } = tcpNode();
    expect(server(RST | ACK)).toMatchObject({ connection: 'REPLY', action: 'ACCEPT' });
    expect(node.connections()).toHaveLength(0);
  });

  it('takes a packet that does not fit the state as INVALID and leaves the connection as it was', () => {
    const { node, client } = tcpNode();
    node.now += 1000;
    expect(client(FIN).connection).toBe('INVALID');
    expect(node.connections()[0]).toMatchObject({ state: 'SYN_SENT', expiresInMs: 119_000 });
    expect(node.engine.counters(node.now)).toMatchObject({ invalid: 1, newConnections: 1 });
  });

  it('lets an ignored packet pass without a new timer', () => {
    const { node, client } = establish();
    node.now += 1000;
    expect(client(SYN).connection).toBe('ESTABLISHED');
    expect(node.connections()[0]).toMatchObject({ state: 'ESTABLISHED', expiresInMs: 431_999_000 });
  });

  it('lets filter chains see and drop an INVALID packet', () => {
    const drop = rule([{ kind: 'conntrackState', states: ['INVALID'] }], { kind: 'drop' });
    const node = new TestNode(filterProgram([baseChain('FORWARD', 'filter', [drop])]));
    expect(node.process(packet({ tcpFlags: FIN }))).toMatchObject({ action: 'DROP', connection: 'INVALID', rulesEvaluated: 1 });
    expect(node.connections()).toHaveLength(0);
  });
});

describe('UDP', () => {
  it('becomes a stream with the first packet more than two seconds after its first, once it was answered', () => {
    const node = new TestNode(program());
    const send = () => node.process(packet({ protocol: 'UDP' }));
    const opened = send();
    node.process(replyTo(opened, { protocol: 'UDP' }));
    node.now += 2000;
    send();
    expect(node.connections()[0]).toMatchObject({ assured: false, expiresInMs: 30_000 });
    node.now += 1;
    send();
    expect(node.connections()[0]).toMatchObject({ assured: true, expiresInMs: 120_000 });
    expect(node.connections()[0]).not.toHaveProperty('state');
  });

  it('stays short-lived without an answer', () => {
    const node = new TestNode(program());
    node.process(packet({ protocol: 'UDP' }));
    node.now += 5000;
    node.process(packet({ protocol: 'UDP' }));
    expect(node.connections()[0]).toMatchObject({ assured: false, expiresInMs: 30_000 });
  });
});

describe('SCTP', () => {
  it('packets without a chunk are those of a handshake, then data', () => {
    const node = new TestNode(program());
    const opened = node.process(packet({ protocol: 'SCTP' }));
    expect(node.connections()[0]).toMatchObject({ state: 'CLOSED', expiresInMs: 10_000 });
    node.process(replyTo(opened, { protocol: 'SCTP' }));
    expect(node.connections()[0]).toMatchObject({ state: 'COOKIE_WAIT', expiresInMs: 3000 });
    node.process(packet({ protocol: 'SCTP' }));
    expect(node.connections()[0]).toMatchObject({ state: 'COOKIE_ECHOED', assured: false });
    node.process(replyTo(opened, { protocol: 'SCTP' }));
    expect(node.connections()[0]).toMatchObject({ state: 'ESTABLISHED', assured: true, expiresInMs: 210_000 });
    node.process(packet({ protocol: 'SCTP' }));
    expect(node.connections()[0]).toMatchObject({ state: 'ESTABLISHED', assured: true, expiresInMs: 210_000 });
  });

  it('data of no association is INVALID', () => {
    const node = new TestNode(program());
    expect(node.process(packet({ protocol: 'SCTP', sctpChunk: 'DATA' })).connection).toBe('INVALID');
    expect(node.connections()).toEqual([]);
  });
});
