// What becomes of frames: translated there and back, with right checksums; and what is no packet of ours passes or is dropped, counted.
import { afterEach, describe, expect, test } from 'vitest';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Dataplane, FrameResult, FrameRing, FrameRingOptions } from '../../src/dataplane-types.ts';
import { objectsOf, PLANS, type RandomService } from '../differential/clusters.ts';
import { buildError, buildFrame, buildPacket, type FrameSpec } from './frame-builder.ts';
import { addressBytes, wrongChecksums } from './whole-checksums.ts';

const web: RandomService = {
  protocol: 'TCP',
  type: 'NodePort',
  internalLocal: false,
  externalLocal: false,
  affinity: false,
  hasExternalIP: false,
  range: -1,
  endpoints: [{ pod: 3, isLocal: false, condition: 'ready' }],
};
const POD = '10.180.0.4'; // pod 3
const CLIENT = '10.180.0.1';
const SERVICE = '172.30.0.1';
const ROUTER = '192.0.2.1';
const NODE = '192.168.0.2';

let dataplane: Dataplane;

function start(engine: 'wasm' | 'js', protocol: RandomService['protocol'] = 'TCP'): void {
  const now = { ms: 1000 };
  dataplane = createDataplaneSync({
    engine,
    seed: 1,
    nodeName: 'n1',
    nodeIPs: [...PLANS.IPv4.node, ...PLANS.IPv6.node],
    config: { clusterCIDR: '10.0.0.0/8' },
    now: () => now.ms,
  });
  dataplane.apply([...objectsOf(0, { ...web, protocol }, PLANS.IPv4), ...objectsOf(1, { ...web, protocol }, PLANS.IPv6)]);
}

afterEach(() => dataplane[Symbol.dispose]());

/** One frame, in place: what came of it. */
function send(
  frame: Uint8Array,
  options: FrameRingOptions & { readonly wireLength?: number } = {},
): { frame: Uint8Array; result: FrameResult } {
  const { wireLength = frame.length, ...ringOptions } = options;
  const ring = dataplane.createFrameRing(1, ringOptions);
  ring.set(0, frame, { wireLength });
  ring.count = 1;
  dataplane.processFrames(ring);
  return { frame: ring.frame(0).slice(), result: ring.result(0) };
}

const toService: FrameSpec = { protocol: 'TCP', source: CLIENT, sourcePort: 40000, destination: SERVICE, destinationPort: 80, payload: 11 };
const toPod: FrameSpec = { ...toService, destination: POD, destinationPort: 8080 };
const reply = (spec: FrameSpec): FrameSpec => ({
  ...spec,
  source: spec.destination,
  sourcePort: spec.destinationPort,
  destination: spec.source,
  destinationPort: spec.sourcePort,
  tcpFlags: 18,
});

describe.each(['wasm', 'js'] as const)('the %s engine', (engine) => {
  test.each(['TCP', 'UDP', 'SCTP'] as const)(
    'translates %s to the backend and back, byte by byte as if it had been made so',
    (protocol) => {
      start(engine, protocol);
      const there = send(buildFrame({ ...toService, protocol }));
      expect(there.frame).toEqual(buildFrame({ ...toPod, protocol }));
      expect(there.result).toMatchObject({
        kind: 'packet',
        action: 'DNAT',
        connection: 'NEW',
        passes: true,
        servicePort: 'ns/svc0:p',
        masquerade: false,
      });
      const back = send(buildFrame(reply({ ...toPod, protocol })));
      expect(back.frame).toEqual(buildFrame(reply({ ...toService, protocol })));
      expect(back.result).toMatchObject({ action: 'ACCEPT', connection: 'REPLY' });
    },
  );

  test('translates IPv6 behind VLAN tags and extension headers', () => {
    start(engine, 'UDP');
    const spec: FrameSpec = {
      protocol: 'UDP',
      source: 'fd00:10::1',
      sourcePort: 5000,
      destination: 'fd00:10:96::2',
      destinationPort: 80,
      vlans: [0x88a8, 0x8100],
      extensions: [0, 60],
      payload: 3,
    };
    const there = send(buildFrame(spec), { frameBytes: 200 });
    expect(there.frame.subarray(22 + 24, 22 + 40)).toEqual(addressBytes('fd00:10::4'));
    expect(wrongChecksums(there.frame.subarray(22))).toEqual([]);
  });

  test('leaves IPv4 options, payload and padding as they are, and a UDP checksum of 0 at 0', () => {
    start(engine, 'UDP');
    const padded = (frame: Uint8Array): Uint8Array => Uint8Array.from([...frame, 0xaa, 0xbb]);
    const spec: FrameSpec = { ...toService, protocol: 'UDP', options: 8, noChecksum: true };
    expect(send(padded(buildFrame(spec))).frame).toEqual(padded(buildFrame({ ...spec, destination: POD, destinationPort: 8080 })));
  });

  test('writes a UDP checksum that comes out as 0 as 0xffff', () => {
    start(engine, 'UDP');
    // of all source ports one gives the translated datagram the sum 0
    const sourcePort = Array.from({ length: 64000 }, (_, port) => port + 1024).find((port) => {
      const packet = buildPacket({ ...toPod, protocol: 'UDP', sourcePort: port });
      return packet[26] === 0xff && packet[27] === 0xff;
    });
    expect(sourcePort).toBeDefined();
    const spec: FrameSpec = { ...toPod, protocol: 'UDP', sourcePort: sourcePort ?? 0 };
    expect(send(buildFrame({ ...spec, destination: SERVICE, destinationPort: 80 })).frame).toEqual(buildFrame(spec));
  });

  test('sends frames out through a transmit ring, in order, and leaves those that came as they are', () => {
    start(engine);
    const transmit = dataplane.createFrameRing(4);
    const ring = dataplane.createFrameRing(4, { transmit });
    const frames = [
      buildFrame(toService),
      buildFrame({ ...toService, fragment: 0x2000 }),
      Uint8Array.from([...new Uint8Array(12), 8, 6, 1, 2]),
      buildFrame({ ...toService, payload: 0 }),
    ];
    frames.forEach((frame, index) => {
      ring.set(index, frame);
    });
    ring.count = 4;
    dataplane.processFrames(ring);
    expect(transmit.count).toBe(3);
    expect(transmit.frame(0)).toEqual(buildFrame(toPod));
    expect(transmit.frame(1)).toEqual(frames[2]);
    expect(transmit.frame(2)).toEqual(buildFrame({ ...toPod, payload: 0 }));
    expect(transmit.result(2)).toMatchObject({ kind: 'packet', connection: 'ESTABLISHED', peer: 3 });
    expect(ring.result(3)).toMatchObject({ kind: 'packet', peer: 2 });
    expect(ring.result(1)).toMatchObject({ kind: 'fragment', action: 'DROP', passes: false });
    expect(ring.frame(0)).toEqual(frames[0]);
    dataplane.processFrames(ring);
    expect(transmit.count).toBe(3);
  });

  test('reads packets without a link header', () => {
    start(engine);
    expect(send(buildPacket(toService), { link: 'ip' }).frame).toEqual(buildPacket(toPod));
  });

  test('translates what a capture cut behind the headers, checksums included', () => {
    start(engine, 'SCTP');
    const whole = buildFrame({ ...toService, protocol: 'SCTP', payload: 1000 });
    const { frame } = send(whole.subarray(0, 60), { wireLength: whole.length });
    expect(frame).toEqual(buildFrame({ ...toPod, protocol: 'SCTP', payload: 1000 }).subarray(0, 60));
  });

  test('counts what passed for a ServicePort, in bytes of IP packets', () => {
    start(engine);
    send(buildFrame(toService));
    send(buildFrame(reply(toPod)));
    send(buildFrame({ ...toService, tcpFlags: 16 }));
    expect(dataplane.counters().traffic).toEqual({ 'ns/svc0:p': { packets: 2, bytes: 102, replyPackets: 1, replyBytes: 51 } });
    expect(dataplane.counters().frames).toMatchObject({ packet: 3, notIP: 0 });
  });

  test('counts the traffic of each of many ServicePorts', () => {
    start(engine);
    dataplane.apply(Array.from({ length: 100 }, (_, index) => objectsOf(index, web, PLANS.IPv4)).flat());
    for (let index = 0; index < 100; index++)
      send(buildFrame({ ...toService, sourcePort: 1000 + index, destination: `172.30.0.${index + 1}` }));
    const { traffic } = dataplane.counters();
    expect(Object.keys(traffic)).toHaveLength(100);
    expect(traffic['ns/svc99:p']).toEqual({ packets: 1, bytes: 51, replyPackets: 0, replyBytes: 0 });
  });

  describe('ICMP errors', () => {
    test('from the backend about a translated packet come from the Service, and quote what the client sent', () => {
      start(engine, 'UDP');
      send(buildFrame({ ...toService, protocol: 'UDP' }));
      const sent = buildError({ source: POD, destination: CLIENT, type: 3, code: 3, about: buildPacket({ ...toPod, protocol: 'UDP' }) });
      const wanted = buildError({
        source: SERVICE,
        destination: CLIENT,
        type: 3,
        code: 3,
        about: buildPacket({ ...toService, protocol: 'UDP' }),
      });
      const { frame, result } = send(sent);
      expect(frame).toEqual(wanted);
      expect(result).toMatchObject({ kind: 'related', action: 'ACCEPT', passes: true });
      expect(result.connection).toBeUndefined();
    });

    test.each([28, 40, 51])('that quote %i bytes are translated as far as that reaches', (quotedBytes) => {
      start(engine);
      send(buildFrame(toService));
      const sent = buildError({ source: ROUTER, destination: CLIENT, type: 11, about: buildPacket(toPod), quotedBytes });
      const wanted = buildError({ source: SERVICE, destination: CLIENT, type: 11, about: buildPacket(toService), quotedBytes });
      const { frame } = send(sent);
      // nf_nat leaves a TCP checksum alone that was not quoted whole; the quote ends before it anyway.
      expect(frame).toEqual(wanted);
    });

    test('to a masqueraded client find it again', () => {
      start(engine);
      const outside: FrameSpec = { ...toService, source: '203.0.113.9', destination: NODE, destinationPort: 30000 };
      const there = send(buildFrame(outside));
      expect(there.result.masquerade).toBe(true);
      const sent = buildError({ source: ROUTER, destination: NODE, type: 3, code: 1, about: there.frame.subarray(14) });
      const { frame } = send(sent);
      expect(frame).toEqual(buildError({ source: NODE, destination: '203.0.113.9', type: 3, code: 1, about: buildPacket(outside) }));
    });

    test('about the answer of a backend go to the backend', () => {
      start(engine);
      send(buildFrame(toService));
      const answer = reply(toService);
      const sent = buildError({ source: CLIENT, destination: SERVICE, type: 3, code: 4, about: buildPacket(answer) });
      expect(send(sent).frame).toEqual(
        buildError({ source: CLIENT, destination: POD, type: 3, code: 4, about: buildPacket(reply(toPod)) }),
      );
    });

    test('of ICMPv6 too', () => {
      start(engine);
      const spec: FrameSpec = {
        protocol: 'TCP',
        source: 'fd00:10::1',
        sourcePort: 5000,
        destination: 'fd00:10:96::2',
        destinationPort: 80,
        payload: 9,
      };
      const { frame: there } = send(buildFrame(spec));
      const sent = buildError({ source: '2001:db8::99', destination: 'fd00:10::1', type: 2, about: there.subarray(14) });
      expect(send(sent).frame).toEqual(
        buildError({ source: 'fd00:10:96::2', destination: 'fd00:10::1', type: 2, about: buildPacket(spec) }),
      );
    });

    test('about nothing known pass as they are; so do those that are sent to somebody else', () => {
      start(engine);
      const about = buildPacket(toPod);
      const error = buildError({ source: ROUTER, destination: CLIENT, type: 3, about });
      expect(send(error)).toMatchObject({ frame: error, result: { kind: 'unrelated', passes: true } });
      send(buildFrame(toService));
      const elsewhere = buildError({ source: ROUTER, destination: '10.9.9.9', type: 3, about });
      expect(send(elsewhere)).toMatchObject({ frame: elsewhere, result: { kind: 'unrelated', passes: true } });
    });

    test('redirects about translated connections are dropped', () => {
      start(engine);
      send(buildFrame(toService));
      const redirect = buildError({ source: ROUTER, destination: CLIENT, type: 5, code: 1, about: buildPacket(toPod) });
      expect(send(redirect)).toMatchObject({ frame: redirect, result: { kind: 'related', action: 'DROP', passes: false } });
    });

    test('move neither state nor timer of their connection', () => {
      start(engine, 'UDP');
      send(buildFrame({ ...toService, protocol: 'UDP' }));
      const before = [...dataplane.connections()];
      send(buildError({ source: POD, destination: CLIENT, type: 3, code: 3, about: buildPacket({ ...toPod, protocol: 'UDP' }) }));
      expect([...dataplane.connections()]).toEqual(before);
    });
  });

  const whole = buildFrame(toService);
  const changedIn = (frame: Uint8Array, at: number, ...bytes: number[]): Uint8Array => {
    const copy = frame.slice();
    copy.set(bytes, at);
    return copy;
  };
  const changed = (at: number, ...bytes: number[]): Uint8Array => changedIn(whole, at, ...bytes);
  test.each<[string, Uint8Array, string, boolean, FrameRingOptions?]>([
    ['ARP', changed(12, 0x08, 0x06), 'notIP', true],
    ['a third VLAN tag', buildFrame({ ...toService, vlans: [0x8100, 0x8100, 0x8100] }), 'notIP', true],
    ['an ICMP echo', buildError({ source: CLIENT, destination: POD, type: 8, about: new Uint8Array(8) }), 'otherProtocol', true],
    ['GRE', buildFrame({ ...toService, source: 'fd00:10::1', destination: 'fd00:10::2', extensions: [47] }), 'otherProtocol', true],
    ['a first fragment', buildFrame({ ...toService, fragment: 0x2000 }), 'fragment', false],
    ['a later fragment', buildFrame({ ...toService, fragment: 0x0010 }), 'fragment', false],
    ['a fragment that may pass', buildFrame({ ...toService, fragment: 0x0010 }), 'fragment', true, { fragments: 'pass' }],
    [
      'a fragment of IPv6',
      buildFrame({ ...toService, source: 'fd00:10::1', destination: 'fd00:10:96::2', fragment: 1 }),
      'fragment',
      false,
    ],
    [
      'an IPv6 packet that is its only fragment',
      buildFrame({ ...toService, source: 'fd00:10::1', destination: 'fd00:10:96::2', fragment: 0 }),
      'packet',
      true,
    ],
    ['no frame at all', new Uint8Array(0), 'truncated', false],
    ['half an Ethernet header', whole.subarray(0, 13), 'truncated', false],
    ['half an IPv4 header', whole.subarray(0, 33), 'truncated', false],
    ['half a TCP header', whole.subarray(0, 14 + 39), 'truncated', false],
    ['an IP packet that is longer than its frame', whole.subarray(0, whole.length - 1), 'truncated', false],
    ['IP version 5', changed(14, 0x55), 'malformed', false],
    ['an IPv4 header of 16 bytes', changed(14, 0x44), 'malformed', false],
    ['a total length smaller than the header', changed(16, 0, 19), 'malformed', false],
    ['a TCP header of 16 bytes', changed(14 + 32, 0x40), 'malformed', false],
    ['a TCP header longer than the packet', changed(14 + 32, 0xf0), 'malformed', false],
    ['a UDP datagram longer than its packet', changedIn(buildFrame({ ...toService, protocol: 'UDP' }), 38, 0, 200), 'malformed', false],
    ['an IPv4 header with a wrong checksum', changed(14 + 8, 1), 'badChecksum', false],
  ])('%s', (_, frame, kind, passes, options) => {
    start(engine);
    const before = dataplane.counters().frames;
    const { frame: after, result } = send(frame, options);
    expect(result).toMatchObject({ kind, passes });
    if (kind !== 'packet') expect(after).toEqual(frame);
    expect(dataplane.counters().frames).toEqual({ ...before, [kind]: 1 });
  });
});

describe('a frame ring', () => {
  test('says what is wrong with how it is made or filled', () => {
    start('js');
    const ring: FrameRing = dataplane.createFrameRing(2, { frameBytes: 64 });
    expect(() => dataplane.createFrameRing(0)).toThrow('capacity');
    expect(() => dataplane.createFrameRing(1, { frameBytes: 70_000 })).toThrow('frameBytes 70000 is not an integer from 1 to 65600');
    expect(() => dataplane.createFrameRing(4, { transmit: ring })).toThrow('transmit');
    expect(() => ring.set(0, new Uint8Array(65))).toThrow("is longer than the ring's frameBytes, 64");
    expect(() => ring.set(2, new Uint8Array(1))).toThrow('index');
    expect(() => ring.set(0, new Uint8Array(10), { wireLength: 9 })).toThrow('wireLength');
    expect(() => ring.result(0)).toThrow('not processed yet');
    expect(() => (ring.count = 3)).toThrow('ring.count');
  });
});
