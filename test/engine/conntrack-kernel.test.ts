// Both engines against what a kernel's nf_conntrack said of the same packets (test/kernel/conntrack.json).
import { describe, expect, test } from 'vitest';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Connection, Dataplane } from '../../src/dataplane-types.ts';
import type { Packet, Verdict } from '../../src/packet.ts';
import { CONNTRACK_CASES, type Observation, type RecordedCase, recordedCases, SYSCTLS, TIMEOUT_STEP } from '../kernel/conntrack-cases.ts';
import { CLIENT, SERVER, SERVER_PORT } from '../kernel/conntrack-packets.ts';

const CLIENT_PORT = 20_000;

/** The number of rules that a packet meets tells its ctstate. */
const RULES = `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -m conntrack --ctstate NEW -j ACCEPT
-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j ACCEPT
COMMIT
`;

function ctstateOf({ connection, rulesEvaluated }: Verdict): Observation['packet'] {
  const [ctstate] = (['NEW', 'ESTABLISHED', 'INVALID'] as const).slice(rulesEvaluated - 1);
  if (ctstate === undefined) throw new Error(`${rulesEvaluated} rules`);
  return ctstate === 'ESTABLISHED' && connection === 'REPLY' ? 'REPLY' : ctstate;
}

function replay(engine: 'wasm' | 'js', { protocol, steps }: RecordedCase): Observation[] {
  let now = 0;
  const dataplane = createDataplaneSync({ engine, seed: 1, rules: RULES, sysctls: SYSCTLS, conntrackMax: 8, now: () => now });
  return steps.map(({ from, flags, chunk, waitMs = 0 }) => {
    now += waitMs;
    const there = { source: CLIENT, sourcePort: CLIENT_PORT, destination: SERVER, destinationPort: SERVER_PORT };
    const back = { source: SERVER, sourcePort: SERVER_PORT, destination: CLIENT, destinationPort: CLIENT_PORT };
    const header = { ...(flags === undefined ? {} : { tcpFlags: flags }), ...(chunk === undefined ? {} : { sctpChunk: chunk }) };
    const packet: Packet = { protocol, ...(from === 'client' ? there : back), ...header };
    return { packet: ctstateOf(dataplane.process(packet)), entry: entryText(dataplane) };
  });
}

/** As conntrack-node.ts writes what `conntrack -L` prints. */
function entryText(dataplane: Dataplane): string {
  const [connection] = dataplane.connections();
  if (connection === undefined) return '';
  const { original, state, expiresInMs, packets, seenReply, assured }: Connection = connection;
  const words = [
    original.source === CLIENT ? 'client' : 'server',
    ...(state === undefined ? [] : [state]),
    String(Math.ceil(expiresInMs / 1000 / TIMEOUT_STEP) * TIMEOUT_STEP),
    `${packets.original}+${packets.reply}`,
  ];
  return [...words, ...(seenReply ? [] : ['[UNREPLIED]']), ...(assured ? ['[ASSURED]'] : [])].join(' ');
}

test('every case is recorded', () => {
  const plain = recordedCases().map(({ name, protocol, steps }) => ({ name, protocol, steps }));
  expect(plain).toEqual(CONNTRACK_CASES);
});

describe.each(['wasm', 'js'] as const)('the %s engine does as nf_conntrack', (engine) => {
  test.each(recordedCases().map((one) => [one.name, one] as const))('%s', (_, one) => {
    expect(replay(engine, one)).toEqual(one.observed);
  });
});
