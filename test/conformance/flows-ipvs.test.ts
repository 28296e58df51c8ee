// The packet flows that name both iptables and nftables, in IPVS mode: they go the same way, but for the packets of one list.
import { describe, expect, test } from 'vitest';
import { FLOWS, type FlowCase, type FlowPacket, runFlow } from './flow-run.ts';
import { IPVS_DIFFERENCES } from './ipvs-differences.ts';

const shared = FLOWS.filter(({ modes }) => modes.includes('iptables') && modes.includes('nftables') && !modes.includes('ipvs'));

test('the list names packets that exist, each once, and only what differs', () => {
  const names = IPVS_DIFFERENCES.map(({ flow, packet }) => `${flow} ${packet}`);
  expect(new Set(names).size).toBe(names.length);
  for (const { flow, packet, expect: differing, because } of IPVS_DIFFERENCES) {
    const given = shared.find(({ id }) => id === flow)?.steps.flatMap(({ packets }) => packets ?? []) ?? [];
    const named = given.filter(({ name }) => name === packet);
    expect(named, `${flow}: ${packet}`).toHaveLength(1);
    expect(named[0]?.expect).not.toMatchObject(differing);
    expect(because).toMatch(/^5\.\d: /);
  }
});

function expectedOf({ id }: FlowCase): (packet: FlowPacket) => FlowPacket['expect'] {
  const differences = new Map(IPVS_DIFFERENCES.filter(({ flow }) => flow === id).map((each) => [each.packet, each.expect]));
  return ({ name, expect: expected }) => differences.get(name) ?? expected;
}

describe.each(['wasm', 'js'] as const)('packet flows in IPVS mode on the %s engine', (engine) => {
  test.each(shared)('$id: $title', (flow) => {
    runFlow(flow, 'ipvs', engine, expectedOf(flow));
  });
});
