import { expect, test } from 'vitest';
import { computedChain } from '../../src/program/computed-chain.ts';
import type { Chain, Rule } from '../../src/program/ruleset.ts';

const rulesFor = (address: string, chain: string): readonly Rule[] => [
  { matches: [], target: { kind: 'dnat', address }, servicePort: chain },
];
const written: Chain = {
  name: 'KUBE-SEP-A',
  rules: [{ matches: [], target: { kind: 'dnat', address: '10.1.0.1' }, servicePort: 'KUBE-SEP-A' }],
};

test('a computed chain reads like one that was written down', () => {
  const chain = computedChain('KUBE-SEP-A', '10.1.0.1', rulesFor);
  expect(chain).toEqual(written);
  expect({ ...chain }).toEqual(written);
  expect(JSON.stringify(chain)).toBe(JSON.stringify(written));
});

test('computed chains of other sources differ', () => {
  expect(computedChain('KUBE-SEP-A', '10.1.0.2', rulesFor)).not.toEqual(written);
});
