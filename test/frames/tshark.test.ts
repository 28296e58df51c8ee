// Wireshark's opinion: every checksum of what leaves is right, for all that can pass, on both engines.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createDataplaneSync } from '../../src/dataplane.ts';
import { writeCapture } from '../../src/frames/capture.ts';
import { replay } from '../../src/frames/replay.ts';
import type { TransportProtocol } from '../../src/packet.ts';
import { objectsOf, PLANS, type RandomService } from '../differential/clusters.ts';
import { buildError, buildFrame, buildPacket, type FrameSpec } from './frame-builder.ts';
import { capture } from './sample-capture.ts';

const hasTshark = spawnSync('tshark', ['--version']).status === 0;
if (!hasTshark) console.warn('skipped: tshark is not installed, so nothing says whether Wireshark agrees with the checksums of frames');

const PREFERENCES = ['ip.check_checksum:TRUE', 'tcp.check_checksum:TRUE', 'udp.check_checksum:TRUE', 'sctp.checksum:CRC 32c'];
const FIELDS = ['ip', 'tcp', 'udp', 'sctp', 'icmp', 'icmpv6'].map((protocol) => `${protocol}.checksum.status`);
const GOOD = '1';
/** Of a quoted packet that ends before it, or a datagram that has none. */
const UNVERIFIED = new Set(['2', '3']);

const web = (protocol: TransportProtocol): RandomService => ({
  protocol,
  type: 'NodePort',
  internalLocal: false,
  externalLocal: false,
  affinity: false,
  hasExternalIP: false,
  range: -1,
  endpoints: [
    { pod: 3, isLocal: false, condition: 'ready' },
    { pod: 4, isLocal: false, condition: 'ready' },
  ],
});

const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;
const objects = Object.values(PLANS).flatMap((plan, family) =>
  PROTOCOLS.flatMap((protocol, number) => objectsOf(family * 3 + number, web(protocol), plan)),
);

/** Clients of Services of each protocol and family, tagged and not, from Pods and from outside, and errors about what they send. */
function frames(): Uint8Array[] {
  return Object.values(PLANS).flatMap((plan, family) =>
    PROTOCOLS.flatMap((protocol, number) =>
      [[], [0x8100], [0x88a8, 0x8100]].flatMap((vlans) =>
        [plan.pod(0), plan.outside[0] ?? ''].flatMap((source, client) => {
          const isNodePort = client === 1;
          const there: FrameSpec = {
            protocol,
            source,
            sourcePort: 40_000 + vlans.length,
            destination: isNodePort ? (plan.node[0] ?? '') : plan.clusterIP(family * 3 + number),
            destinationPort: isNodePort ? 30_000 + family * 3 + number : 80,
            vlans,
            payload: 33,
            ...(family === 0 ? { options: 4 * vlans.length } : { extensions: vlans.length === 0 ? [] : [0] }),
          };
          const back = {
            ...there,
            source: there.destination,
            sourcePort: there.destinationPort,
            destination: source,
            destinationPort: there.sourcePort,
          };
          const error = { source, destination: there.destination, vlans, type: family === 0 ? 3 : 1 };
          return [
            buildFrame({ ...there, tcpFlags: 2 }),
            buildFrame({ ...back, tcpFlags: 18 }),
            buildFrame({ ...there, tcpFlags: 16 }),
            buildFrame({ ...there, noChecksum: family === 0 && protocol === 'UDP', tcpFlags: 16 }),
            buildError({ ...error, about: buildPacket({ ...back, tcpFlags: 18 }) }),
            buildFrame({ ...there, fragment: family === 0 ? 0x2000 : 1 }),
          ];
        }),
      ),
    ),
  );
}

describe.skipIf(!hasTshark)('tshark', () => {
  test.each(['wasm', 'js'] as const)('finds every checksum right in what the %s engine lets pass', (engine) => {
    const clock = { ms: 0 };
    const nodeIPs = [...PLANS.IPv4.node, ...PLANS.IPv6.node];
    using dataplane = createDataplaneSync({
      engine,
      seed: 5,
      nodeName: 'n1',
      nodeIPs,
      config: { clusterCIDR: '10.0.0.0/8' },
      now: () => clock.ms,
    });
    dataplane.apply(objects);
    const { frames: left, summary } = replay(dataplane, capture(frames()), {
      fragments: 'pass',
      setTime: (ms) => {
        clock.ms = ms;
      },
    });
    expect(summary).toMatchObject({ frames: 216, passed: 216, kinds: { packet: 144, related: 36, fragment: 36 } });
    const file = join(mkdtempSync(join(tmpdir(), 'svcplane-')), 'out.pcap');
    writeFileSync(file, writeCapture(left));
    const counts: Record<string, number> = {};
    for (const line of statuses(file)) {
      line.split('\t').forEach((cell, column) => {
        for (const status of cell.split(',').filter((one) => one !== '' && !UNVERIFIED.has(one))) {
          const key = `${FIELDS[column]} ${status === GOOD ? 'good' : `bad (${status})`}`;
          counts[key] = (counts[key] ?? 0) + 1;
        }
      });
    }
    expect(Object.keys(counts).sort()).toEqual(FIELDS.map((field) => `${field} good`).sort());
  });
});

/** One line a frame: the status of each field; several, comma-separated, where a frame quotes a packet. */
function statuses(file: string): string[] {
  const preferences = PREFERENCES.flatMap((preference) => ['-o', preference]);
  const fields = FIELDS.flatMap((field) => ['-e', field]);
  const { status, stdout, stderr } = spawnSync('tshark', ['-r', file, ...preferences, '-T', 'fields', ...fields], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tshark: ${stderr}`);
  return stdout.trimEnd().split('\n');
}
