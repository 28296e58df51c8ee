// Captures for tests and for examples/hostnames.pcap, made frame by frame: what a client of a Service sees, and a bit of everything.
import type { CapturedFrame } from '../../src/frames/captured-frame.ts';
import { buildError, buildFrame, buildPacket, type FrameSpec } from './frame-builder.ts';

const START = 1_767_225_600; // 2026-01-01

/** Frames one after the other, `stepMs` apart. */
export function capture(frames: readonly Uint8Array[], stepMs = 1, linkType = 1): CapturedFrame[] {
  return frames.map((bytes, index) => ({
    linkType,
    seconds: START + Math.floor((index * stepMs) / 1000),
    nanoseconds: ((index * stepMs) % 1000) * 1_000_000,
    bytes,
    wireLength: bytes.length,
  }));
}

/** A TCP connection as its client sees it: handshake, request, answer, close. */
export function tcpConnection(
  client: string,
  port: number,
  address: string,
  servicePort: number,
  shape: Partial<FrameSpec> = {},
): Uint8Array[] {
  const there: FrameSpec = {
    protocol: 'TCP',
    source: client,
    sourcePort: port,
    destination: address,
    destinationPort: servicePort,
    ...shape,
  };
  const back: FrameSpec = { ...there, source: address, sourcePort: servicePort, destination: client, destinationPort: port };
  return [
    { ...there, tcpFlags: 2 },
    { ...back, tcpFlags: 18 },
    { ...there, tcpFlags: 16 },
    { ...there, tcpFlags: 24, payload: 77 },
    { ...back, tcpFlags: 24, payload: 300 },
    { ...there, tcpFlags: 17 },
    { ...back, tcpFlags: 17 },
    { ...there, tcpFlags: 16 },
  ].map((spec) => buildFrame(spec));
}

/** What tcpdump in a client of `hostnames` could have seen: six connections, a question that nobody answers, ARP, a fragment. */
export function hostnamesCapture(clusterIP: string): CapturedFrame[] {
  const client = '10.244.1.250';
  const connections = Array.from({ length: 6 }, (_, number) => tcpConnection(client, 40_000 + number, clusterIP, 80)).flat();
  const arp = new Uint8Array(42);
  arp.set([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 2, 0x08, 0x06]);
  const dns: FrameSpec = {
    protocol: 'UDP',
    source: client,
    sourcePort: 5353,
    destination: '10.244.2.99',
    destinationPort: 53,
    payload: 40,
  };
  const error = buildError({ source: '10.244.2.99', destination: client, type: 3, code: 3, about: buildPacket(dns) });
  return capture([arp, ...connections, buildFrame(dns), error, buildFrame({ ...dns, fragment: 0x2000 })], 5);
}
