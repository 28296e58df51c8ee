// What changes as time passes and endpoints come and go, on the injected clock: session affinity, conntrack cleanup, draining.
import { beforeEach, describe, expect, test } from 'vitest';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Dataplane } from '../../src/dataplane-types.ts';
import type { Packet, Verdict } from '../../src/packet.ts';
import { CLUSTER_IP, service, slice } from './objects.ts';

const A = '10.180.0.1';
const B = '10.180.0.2';
const THREE = [{ address: A }, { address: B }, { address: '10.180.0.3' }];
const AFFINITY = { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 100 } } };

const cases = (['iptables', 'nftables'] as const).flatMap((mode) => (['wasm', 'js'] as const).map((engine) => ({ mode, engine })));

describe.each(cases)('in $mode mode on the $engine engine', ({ mode, engine }) => {
  let now = 0;
  let port = 1000;
  let dataplane: Dataplane;

  beforeEach(() => {
    now = 0;
    port = 1000;
    dataplane = createDataplaneSync({
      mode,
      engine,
      seed: 5,
      nodeIPs: ['192.168.0.2'],
      config: { clusterCIDR: '10.0.0.0/8' },
      now: () => now,
    });
  });

  const packet = (protocol: 'TCP' | 'UDP', more: Partial<Packet> = {}): Packet => ({
    protocol,
    source: '10.0.0.7',
    sourcePort: ++port,
    destination: CLUSTER_IP,
    destinationPort: 80,
    ...more,
  });
  const backendOf = (verdict: Verdict): string | undefined => verdict.backend?.address;

  test('a client under session affinity keeps its backend, also with new connections', () => {
    dataplane.apply([service('TCP', AFFINITY), slice('TCP', THREE)]);
    const first = backendOf(dataplane.process(packet('TCP')));
    for (let i = 0; i < 20; i++) {
      now += 4000;
      expect(backendOf(dataplane.process(packet('TCP')))).toBe(first);
    }
  });

  test('each new connection starts the time of session affinity again, packets of running ones do not', () => {
    dataplane.apply([service('TCP', AFFINITY), slice('TCP', THREE)]);
    const opening = packet('TCP');
    const first = backendOf(dataplane.process(opening));
    now = 90_000;
    dataplane.process({ ...opening, tcpFlags: 16 });
    now = 99_000;
    expect(backendOf(dataplane.process(packet('TCP')))).toBe(first);
    now = 198_000;
    expect(backendOf(dataplane.process(packet('TCP')))).toBe(first);
  });

  test('a client whose session affinity has run out is balanced again', () => {
    dataplane.apply([service('TCP', AFFINITY), slice('TCP', THREE)]);
    const chosen = new Set<string | undefined>();
    for (let i = 0; i < 40; i++) {
      chosen.add(backendOf(dataplane.process(packet('TCP'))));
      now += 100_001;
    }
    expect(chosen.size).toBe(3);
  });

  test('a client whose endpoint is gone is bound to another one', () => {
    dataplane.apply([service('TCP', AFFINITY), slice('TCP', THREE)]);
    const first = backendOf(dataplane.process(packet('TCP')));
    dataplane.apply([
      slice(
        'TCP',
        THREE.filter(({ address }) => address !== first),
      ),
    ]);
    const second = backendOf(dataplane.process(packet('TCP')));
    expect(second).not.toBe(first);
    for (let i = 0; i < 10; i++) expect(backendOf(dataplane.process(packet('TCP')))).toBe(second);
  });

  test('UDP connections to an endpoint that is gone leave conntrack, those to others stay', () => {
    dataplane.apply([service('UDP'), slice('UDP', [{ address: A }, { address: B }])]);
    const opened = Array.from({ length: 20 }, () => packet('UDP'));
    const backends = opened.map((one) => backendOf(dataplane.process(one)));
    expect(new Set(backends)).toEqual(new Set([A, B]));
    dataplane.apply([slice('UDP', [{ address: B }])]);
    const kept = backends.filter((backend) => backend === B).length;
    expect([...dataplane.connections()]).toHaveLength(kept);
    for (const one of opened) {
      const verdict = dataplane.process(one);
      expect(backendOf(verdict)).toBe(B);
    }
    expect(dataplane.counters().established).toBe(kept);
  });

  test('UDP connections that began while the Service had no endpoint leave conntrack with its first one', () => {
    // Without REJECT rules in the way such an entry would swallow its client for ever: the Service arrives after its client.
    const early = packet('UDP');
    expect(dataplane.process(early).action).toBe('ACCEPT');
    dataplane.apply([service('UDP'), slice('UDP', [{ address: A }])]);
    expect(backendOf(dataplane.process(early))).toBe(A);
  });

  test('TCP connections to an endpoint that is gone stay', () => {
    dataplane.apply([service('TCP'), slice('TCP', [{ address: A }])]);
    const one = packet('TCP');
    dataplane.process(one);
    dataplane.process({
      protocol: 'TCP',
      source: A,
      sourcePort: 8080,
      destination: one.source,
      destinationPort: one.sourcePort,
      tcpFlags: 18,
    });
    dataplane.apply([slice('TCP', [{ address: B }])]);
    expect(dataplane.process({ ...one, tcpFlags: 16 })).toMatchObject({ connection: 'ESTABLISHED', backend: { address: A } });
    expect(backendOf(dataplane.process(packet('TCP')))).toBe(B);
  });

  test('a terminating endpoint gets no new connections while others are ready, and all of them when it is the last that serves', () => {
    const draining = { address: A, ready: false, serving: true, terminating: true };
    dataplane.apply([service('TCP'), slice('TCP', [{ address: A }, { address: B }])]);
    dataplane.apply([slice('TCP', [draining, { address: B }])]);
    for (let i = 0; i < 10; i++) expect(backendOf(dataplane.process(packet('TCP')))).toBe(B);
    dataplane.apply([slice('TCP', [draining])]);
    expect(backendOf(dataplane.process(packet('TCP')))).toBe(A);
    dataplane.apply([slice('TCP', [{ ...draining, serving: false }])]);
    expect(dataplane.process(packet('TCP')).action).toBe('REJECT');
  });

  test('UDP connections to a draining endpoint stay as long as it serves', () => {
    dataplane.apply([service('UDP'), slice('UDP', [{ address: A }])]);
    const one = packet('UDP');
    dataplane.process(one);
    dataplane.apply([slice('UDP', [{ address: A, ready: false, serving: true, terminating: true }, { address: B }])]);
    expect(dataplane.process(one)).toMatchObject({ connection: 'ESTABLISHED', backend: { address: A } });
    dataplane.apply([slice('UDP', [{ address: A, ready: false, serving: false, terminating: true }, { address: B }])]);
    expect(backendOf(dataplane.process(one))).toBe(B);
  });
});
