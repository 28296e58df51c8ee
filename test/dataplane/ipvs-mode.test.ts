// IPVS mode over time, as kube-proxy and the kernel do it: schedulers, session affinity, draining, and IPVS's connections beside conntrack's.
import { describe, expect, test } from 'vitest';
import type { KubeProxyConfiguration } from '../../src/api/types.ts';
import type { Dataplane } from '../../src/dataplane-types.ts';
import { createDataplaneSync, UnsupportedError } from '../../src/index.ts';
import type { Packet, Verdict } from '../../src/packet.ts';
import { CLUSTER_IP, service, slice } from './objects.ts';

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
const [A, B, C] = ['10.0.1.1', '10.0.1.2', '10.0.1.3'];

interface Setup {
  readonly protocol?: 'TCP' | 'UDP';
  readonly spec?: Record<string, unknown>;
  readonly ipvs?: NonNullable<KubeProxyConfiguration['ipvs']>;
  readonly sysctls?: Record<string, number>;
}

/** One Service and its endpoints, and a clock that stands still until it is told otherwise. */
class Node {
  now = 0;
  readonly dataplane: Dataplane;
  readonly #protocol: 'TCP' | 'UDP';

  constructor(engine: 'wasm' | 'js', endpoints: readonly (string | undefined)[], setup: Setup = {}) {
    const { protocol = 'TCP', spec = {}, ipvs = {}, sysctls = {} } = setup;
    this.#protocol = protocol;
    this.dataplane = createDataplaneSync({
      engine,
      mode: 'ipvs',
      nodeIPs: ['192.168.0.2'],
      config: { clusterCIDR: '10.0.0.0/8', ipvs },
      seed: 3,
      sysctls,
      now: () => this.now,
    });
    this.dataplane.apply([service(protocol, spec)]);
    this.set(...endpoints);
  }

  set(...endpoints: readonly (string | undefined)[]): void {
    this.dataplane.apply([
      slice(
        this.#protocol,
        endpoints.map((address = '') => ({ address })),
      ),
    ]);
  }

  pass(seconds: number): void {
    this.now += seconds * 1000;
  }

  send(sourcePort: number, tcpFlags = SYN, source = '10.0.0.7'): Verdict {
    return this.dataplane.process(this.#packet(sourcePort, tcpFlags, source));
  }

  trace(sourcePort: number, tcpFlags = SYN): readonly string[] {
    const { steps } = this.dataplane.trace(this.#packet(sourcePort, tcpFlags, '10.0.0.7'));
    return steps.flatMap((step) => (step.kind === 'ipvs' ? [step.text] : []));
  }

  /** Where a client's packet goes; undefined: to no server. */
  server(sourcePort: number, tcpFlags = SYN, source?: string): string | undefined {
    return this.send(sourcePort, tcpFlags, source).backend?.address;
  }

  answer({ translated }: Verdict, tcpFlags = SYN | ACK): Verdict {
    return this.dataplane.process({
      protocol: this.#protocol,
      source: translated.destination,
      sourcePort: translated.destinationPort,
      destination: translated.source,
      destinationPort: translated.sourcePort,
      tcpFlags,
    });
  }

  /** A handshake. Its server. */
  open(sourcePort: number, source?: string): string | undefined {
    const begun = this.send(sourcePort, SYN, source);
    this.answer(begun);
    return this.server(sourcePort, ACK, source);
  }

  /** Both sides close. */
  close(sourcePort: number): void {
    this.answer(this.send(sourcePort, FIN | ACK), FIN | ACK);
    this.send(sourcePort, ACK);
  }

  /** The servers of the connections that conntrack knows. */
  tracked(): string[] {
    return Array.from(this.dataplane.connections(), ({ reply }) => reply.source);
  }

  /** The servers of so many new connections. */
  spread(count: number, firstPort: number): (string | undefined)[] {
    return Array.from({ length: count }, (_, index) => this.server(firstPort + index));
  }

  #packet(sourcePort: number, tcpFlags: number, source: string): Packet {
    return { protocol: this.#protocol, source, sourcePort, destination: CLUSTER_IP, destinationPort: 80, tcpFlags };
  }
}

describe.each(['wasm', 'js'] as const)('IPVS mode on the %s engine', (engine) => {
  test('gives new connections to servers in turn, the one added last first', () => {
    expect(new Node(engine, [A, B, C]).spread(4, 1000)).toEqual([C, B, A, C]);
  });

  test('counts connections for lc: closed ones weigh less than open ones', () => {
    const node = new Node(engine, [A, B], { ipvs: { scheduler: 'lc' } });
    expect([node.open(1000), node.open(1001), node.open(1002)]).toEqual([B, A, B]);
    node.close(1000);
    node.close(1002);
    expect(node.open(1003)).toBe(B);
  });

  test('sends a client to one server with sh, whatever its port, and by its port with mh', () => {
    const byAddress = new Node(engine, [A, B, C], { ipvs: { scheduler: 'sh' } });
    expect(new Set(byAddress.spread(30, 1000)).size).toBe(1);
    const byPort = new Node(engine, [A, B, C], { ipvs: { scheduler: 'mh' } });
    expect(new Set(byPort.spread(60, 1000)).size).toBe(3);
  });

  test('lets an endpoint that goes drain: its connections go on, new ones go elsewhere', () => {
    const node = new Node(engine, [A, B]);
    expect([node.open(1000), node.open(1001)]).toEqual([B, A]);
    node.set(A);
    expect(node.server(1000, ACK)).toBe(B);
    expect(node.spread(2, 2000)).toEqual([A, A]);
    node.close(1000);
    node.pass(119);
    expect(node.tracked()).toContain(B);
    node.pass(2);
    expect(node.tracked()).not.toContain(B);
    expect(node.server(1001, ACK)).toBe(A);
  });

  test('ends the connections of a draining endpoint that comes back, as kube-proxy adds it anew', () => {
    const node = new Node(engine, [A, B]);
    node.open(1000);
    node.set(A);
    node.set(A, B);
    expect(node.send(1000, ACK)).toMatchObject({ action: 'ACCEPT', connection: 'NEW' });
    expect(node.spread(2, 2000)).toEqual([B, A]);
  });

  test('ends UDP connections of an endpoint at once, and schedules them anew', () => {
    const udp = new Node(engine, [A, B], { protocol: 'UDP' });
    expect(udp.server(1000)).toBe(B);
    udp.set(A);
    expect(udp.send(1000)).toMatchObject({ connection: 'NEW', backend: { address: A } });
  });

  test('keeps a UDP client at its server after conntrack has forgotten it', () => {
    const node = new Node(engine, [A, B, C], { protocol: 'UDP' });
    expect(node.server(1000)).toBe(C);
    node.pass(31);
    expect(node.tracked()).toEqual([]);
    expect(node.trace(1000)).toEqual([expect.stringMatching(/10\.0\.1\.3:8080, which has its connection in IPVS already$/)]);
    expect(node.send(1000)).toMatchObject({ connection: 'NEW', backend: { address: C } });
    node.pass(301);
    expect(node.server(1000)).toBe(B);
  });

  test('takes the conntrack entry away with an idle connection of IPVS', () => {
    const node = new Node(engine, [A, B], { ipvs: { tcpTimeout: '40s' } });
    node.open(1000);
    node.pass(39);
    expect(node.server(1000, ACK)).toBe(B);
    node.pass(41);
    expect(node.tracked()).toEqual([]);
    expect(node.trace(1000, ACK)).toEqual([expect.stringMatching(/the packet begins no connection, and passes by$/)]);
    expect(node.send(1000, ACK)).toMatchObject({ action: 'ACCEPT', connection: 'NEW' });
  });

  test('begins anew on a port whose connection was closed, and stays with conn_reuse_mode 0', () => {
    const scheduled = new Node(engine, [A, B, C]);
    scheduled.open(1000);
    scheduled.close(1000);
    expect(scheduled.server(1000)).toBe(B);
    const reused = new Node(engine, [A, B, C], { sysctls: { 'net.ipv4.vs.conn_reuse_mode': 0 } });
    reused.open(1000);
    reused.close(1000);
    expect(reused.server(1000)).toBe(C);
  });

  test('drops a SYN on a live connection of a draining server once, and schedules its retransmission', () => {
    const node = new Node(engine, [A, B]);
    node.open(1000);
    node.set(A);
    expect(
      node.dataplane.trace({ protocol: 'TCP', source: '10.0.0.7', sourcePort: 1000, destination: CLUSTER_IP, destinationPort: 80 }).verdict,
    ).toMatchObject({
      action: 'DROP',
    });
    expect(node.send(1000)).toMatchObject({ action: 'DROP', connection: 'ESTABLISHED' });
    expect(node.send(1000)).toMatchObject({ action: 'DNAT', connection: 'NEW', backend: { address: A } });
  });

  test('drops packets of a removed server while expire_nodest_conn is 0', () => {
    const node = new Node(engine, [A, B], { protocol: 'UDP', sysctls: { 'net.ipv4.vs.expire_nodest_conn': 0 } });
    node.server(1000);
    node.set(A);
    expect(node.send(1000).action).toBe('DROP');
  });

  test('pins a client with session affinity, and moves it once its server drains', () => {
    const node = new Node(engine, [A, B, C], {
      spec: { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 100 } } },
    });
    expect(node.spread(3, 1000)).toEqual([C, C, C]);
    expect(node.server(1000, SYN, '10.0.0.8')).toBe(B);
    expect(node.trace(5000)).toEqual([expect.stringMatching(/10\.0\.1\.3:8080, which has its client \(session affinity\)$/)]);
    node.set(A, B);
    expect(node.spread(2, 2000)).toEqual([A, A]);
    node.pass(170);
    expect(node.server(3000)).toBe(B);
  });

  test('leaves packets alone that begin no connection: TCP without SYN, and the port of FTP data', () => {
    const node = new Node(engine, [A]);
    expect(node.send(1000, ACK)).toMatchObject({ action: 'ACCEPT', connection: 'NEW', translated: { destination: CLUSTER_IP } });
    expect(node.send(1001, RST).action).toBe('ACCEPT');
    expect(node.send(20)).toMatchObject({ action: 'ACCEPT', translated: { destination: CLUSTER_IP } });
    const sloppy = new Node(engine, [A], { sysctls: { 'net.ipv4.vs.sloppy_tcp': 1 } });
    expect(sloppy.server(1000, ACK)).toBe(A);
  });

  test('has the FTP data of the node itself with session affinity, and refuses that of others: no Service has its port', () => {
    const { dataplane } = new Node(engine, [A, B], {
      spec: { sessionAffinity: 'ClientIP', ports: [{ protocol: 'TCP', port: 21 }] },
    });
    const data = (source: string) =>
      ({ protocol: 'TCP', source, sourcePort: 1000, destination: CLUSTER_IP, destinationPort: 5000 }) as const;
    const { outcomes } = dataplane.explain(data('192.168.0.2'));
    expect(outcomes.map(({ backend, probability }) => [backend, probability])).toEqual([
      [{ address: A, port: 5000 }, 0.5],
      [{ address: B, port: 5000 }, 0.5],
    ]);
    const traced = dataplane.trace(data('192.168.0.2'));
    expect(traced.steps).toContainEqual(
      expect.objectContaining({ kind: 'ipvs', text: `virtual service TCP ${CLUSTER_IP}:21 rr: ${B}:5000`, servicePort: 'default/web' }),
    );
    expect(dataplane.process(data('192.168.0.2'))).toEqual(traced.verdict);
    expect(traced.verdict).toMatchObject({ action: 'DNAT', backend: { address: B, port: 5000 } });
    expect([dataplane.explain(data('10.0.0.7')).outcomes[0]?.action, dataplane.process(data('10.0.0.7')).action]).toEqual([
      'REJECT',
      'REJECT',
    ]);
  });

  test('refuses sysctls that it does not follow', () => {
    expect(() => new Node(engine, [A], { sysctls: { 'net.ipv4.vs.conntrack': 0 } })).toThrow(UnsupportedError);
    expect(() => new Node(engine, [A], { sysctls: { 'net.ipv4.vs.drop_entry': 1 } })).toThrow(/sysctl drop_entry 1 is not supported/);
    expect(() => new Node(engine, [A], { sysctls: { 'net.ipv4.vs.nothing': 1 } })).toThrow(/is not one of net.ipv4.vs/);
  });
});

test('more endpoints than a virtual service has room for are refused, and all stays as it was', () => {
  const node = new Node('wasm', [A]);
  const many = Array.from({ length: 65_536 }, (_, number) => `10.${64 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`);
  expect(() => node.set(...many)).toThrow(/servers of virtual service TCP 172.30.0.10:80/);
  expect(node.server(1000)).toBe(A);
  node.set(B);
  expect(node.server(1001)).toBe(B);
});

test('so are endpoints that have no room beside those that leave', () => {
  const node = new Node('wasm', [A]);
  const block = (second: number): string[] => Array.from({ length: 40_000 }, (_, number) => `10.${second}.${number >> 8}.${number & 255}`);
  node.set(...block(64));
  expect(() => node.set(...block(65))).toThrow(/those that leave it included: 80000 needed, the limit is 65535/);
  expect(node.server(1000)).toMatch(/^10\.64\./);
  node.set(...block(64).slice(0, 30_000), ...block(65).slice(0, 10_000));
  expect(
    node.dataplane.explain({ protocol: 'TCP', source: '10.0.0.7', sourcePort: 1, destination: CLUSTER_IP, destinationPort: 80 }).outcomes,
  ).toHaveLength(40_000);
});
