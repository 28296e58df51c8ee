// What a dump asks and the model cannot tell: outcomes say so, and engines run such rules as not matching.
import { describe, expect, test } from 'vitest';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Packet } from '../../src/packet.ts';
import { filterTable } from './fixtures.ts';

const packet: Packet = { protocol: 'TCP', source: '10.1.0.1', sourcePort: 4000, destination: '10.2.0.2', destinationPort: 8443 };

function outcomeOf(lines: readonly string[], sent: Packet = packet) {
  const dataplane = createDataplaneSync({ rules: filterTable(...lines), lenient: true, engine: 'js', seed: 1 });
  const [outcome] = dataplane.explain(sent).outcomes;
  return { action: outcome?.action, uncertain: outcome?.uncertain ?? false };
}

describe('an outcome', () => {
  test.each<[string, string[], { action: string; uncertain: boolean }]>([
    [
      'past words that are not modelled is uncertain',
      ['-A FORWARD -m time --timestart 08:00 -j ACCEPT'],
      { action: 'DROP', uncertain: true },
    ],
    [
      'is certain when another match of that rule fails',
      ['-A FORWARD -m time --timestart 08:00 -p udp -j ACCEPT'],
      { action: 'DROP', uncertain: false },
    ],
    [
      'past a target that is not modelled is uncertain',
      ['-A FORWARD -j NFQUEUE --queue-num 1', '-A FORWARD -j ACCEPT'],
      { action: 'ACCEPT', uncertain: true },
    ],
    [
      'past a rule that asks where the packet goes out is uncertain',
      ['-A FORWARD -o docker0 -j ACCEPT'],
      { action: 'DROP', uncertain: true },
    ],
    [
      'past a rule that only writes a log is certain',
      ['-A FORWARD -m limit --limit 1/sec -j LOG', '-A FORWARD -j ACCEPT'],
      { action: 'ACCEPT', uncertain: false },
    ],
  ])('%s', (_title, lines, expected) => {
    expect(outcomeOf(lines)).toEqual(expected);
  });

  test('of a rule that asks where the packet comes in is uncertain unless the packet says it', () => {
    const lines = ['-A FORWARD -i cni0 -j ACCEPT'];
    expect(outcomeOf(lines)).toEqual({ action: 'DROP', uncertain: true });
    expect(outcomeOf(lines, { ...packet, inInterface: 'cni0' })).toEqual({ action: 'ACCEPT', uncertain: false });
    expect(outcomeOf(lines, { ...packet, inInterface: 'eth0' })).toEqual({ action: 'DROP', uncertain: false });
  });
});

describe.each(['wasm', 'js'] as const)('on the %s engine', (engine) => {
  const actionOf = (lines: readonly string[], sent: Packet = packet) =>
    createDataplaneSync({ rules: filterTable(...lines), lenient: true, engine, seed: 1 }).process(sent).action;

  test.each([
    [80, 'DROP'],
    [8000, 'ACCEPT'],
    [8443, 'ACCEPT'],
    [8444, 'DROP'],
  ])('multiport takes the ports of its list and of its ranges: %i', (destinationPort, action) => {
    const lines = ['-A FORWARD -p tcp -m multiport --dports 443,8000:8443 -j ACCEPT'];
    expect(actionOf(lines, { ...packet, destinationPort })).toBe(action);
  });

  test('a negated list of source ports holds for all others', () => {
    const lines = ['-A FORWARD -p tcp -m multiport ! --sports 4000 -j ACCEPT'];
    expect([actionOf(lines), actionOf(lines, { ...packet, sourcePort: 4001 })]).toEqual(['DROP', 'ACCEPT']);
  });

  test('words that are not modelled do not hold', () => {
    expect(actionOf(['-A FORWARD -m time --timestart 08:00 -j ACCEPT'])).toBe('DROP');
  });

  test('a set decides by the contents that ipset save printed', () => {
    const rules = `create allowed hash:net family inet\nadd allowed 10.1.0.0/16\n${filterTable('-A FORWARD -m set --match-set allowed src -j ACCEPT')}`;
    const dataplane = createDataplaneSync({ rules, engine, seed: 1 });
    expect(dataplane.process(packet).action).toBe('ACCEPT');
    expect(dataplane.process({ ...packet, source: '10.3.0.1' }).action).toBe('DROP');
  });
});
