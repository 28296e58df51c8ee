// Both engines against what a kernel's nf_conntrack said of the same packets (test/kernel/conntrack.json).
import { describe, expect, test } from 'vitest';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Connection, Dataplane } from '../../src/dataplane-types.ts';
import type { Packet } from '../../src/packet.ts';
import { CONNTRACK_CASES, type Observation, type RecordedCase, recordedCases, SYSCTLS, TIMEOUT_STEP } from '../kernel/conntrack-cases.ts';
import { CLIENT, SERVER, SERVER_PORT } from '../kernel/conntrack-packets.ts';

const CLIENT_PORT = 20_000;
function replay(engine: 'wasm' | 'js', { protocol, steps }: RecordedCase): Observation[] {
  let now = 0;
  const dataplane = createDataplaneSync({ engine, seed: 1, sysctls: SYSCTLS, conntrackMax: 8, now: () => now });
  return steps.map(({ from, flags, chunk, waitMs = 0 }) => {
    now += waitMs;
    const there = { source: CLIENT, sourcePort: CLIENT_PORT, destination: SERVER, destinationPort: SERVER_PORT };
    const back = { source: SERVER, sourcePort: SERVER_PORT, destination: CLIENT, destinationPort: CLIENT_PORT };
    const header = { ...(flags === undefined ? {} : { tcpFlags: flags }), ...(chunk === undefined ? {} : { sctpChunk: chunk }) };
    const packet: Packet = { protocol, ...(from === 'client' ? there : back), ...header };
    const { connection } = dataplane.process(packet);
    return { packet: connection, entry: entryText(dataplane) };
  });
}

/** As conntrack-node.ts writes what `conntrack -L` prints. */
function entryText(dataplane: Dataplane): string {
  const [connection] = dataplane.connections();
  if (connection === undefined) return '';
  const { original, state, expiresInMs, seenReply, assured }: Connection = connection;
  const words = [
    original.source === CLIENT ? 'client' : 'server',
    ...(state === undefined ? [] : [state]),
    String(Math.ceil(expiresInMs / 1000 / TIMEOUT_STEP) * TIMEOUT_STEP),
  ];
  return [...words, ...(seenReply ? [] : ['[UNREPLIED]']), ...(assured ? ['[ASSURED]'] : [])].join(' ');
}

test('every case is recorded', () => {
  const plain = recordedCases().map(({ name, protocol, steps }) => ({ name, protocol, steps }));
  expect(plain).toEqual(CONNTRACK_CASES);
});

/** To the kernel a connection is new until it is answered; a verdict says NEW of its first packet alone. */
function asVerdicts({ observed, steps }: RecordedCase): Observation[] {
  return observed.map((now, index) => {
    const before = observed[index - 1]?.entry ?? '';
    const goesOn = before.startsWith(steps[index]?.from ?? '-') && before.includes('[UNREPLIED]');
    return now.packet === 'NEW' && goesOn ? { ...now, packet: 'ESTABLISHED' } : now;
  });
}

describe.each(['wasm', 'js'] as const)('the %s engine does as nf_conntrack', (engine) => {
  test.each(recordedCases().map((one) => [one.name, one] as const))('%s', (_, one) => {
    expect(replay(engine, one)).toEqual(asVerdicts(one));
  });
});
