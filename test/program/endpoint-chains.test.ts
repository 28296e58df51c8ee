import { expect, test } from 'vitest';
import {
  type ChainEndpoint,
  type ChainItem,
  chainsIn,
  EndpointChains,
  type EndpointChainWriter,
  keepSameChains,
} from '../../src/program/endpoint-chains.ts';
import { joinTable } from '../../src/program/joined.ts';
import type { Chain, Rule } from '../../src/program/ruleset.ts';

interface Source {
  readonly servicePort: string;
  readonly list?: string;
}

const FIRST: Rule = { matches: [], target: { kind: 'jump', chain: 'KUBE-MARK-MASQ' } };
const [one, two, three]: [ChainEndpoint, ChainEndpoint, ChainEndpoint] = [endpoint('10.0.0.1'), endpoint('10.0.0.2'), endpoint('10.0.0.3')];

function endpoint(address: string): ChainEndpoint {
  return { address, port: 80, text: `${address}:80` };
}

/** `names`: of the chains that were named so far. */
function writer(names: string[] = []): EndpointChainWriter<Source> {
  return {
    name(_source, { text }) {
      names.push(text);
      return `SEP ${text}`;
    },
    servicePort: ({ servicePort }) => servicePort,
    isDrawnInTurn: false,
    likeness: ({ list }) => (list === undefined ? 'alike' : undefined),
    rules: ({ servicePort }, { address, port }) => [{ matches: [], target: { kind: 'dnat', address, port }, servicePort }],
    choice: (_source, _endpoints, chains) => [{ matches: [], target: { kind: 'randomVerdictMap', chains } }],
  };
}

function itemsOf(chains: EndpointChains, endpoints: readonly ChainEndpoint[]): ChainItem[] {
  return [chains.chooser('SVC', endpoints, [FIRST]), ...chains.items];
}

function written(...endpoints: readonly ChainEndpoint[]): Chain[] {
  return endpoints.map(({ address, port, text }) => ({
    name: `SEP ${text}`,
    rules: [{ matches: [], target: { kind: 'dnat', address, port }, servicePort: 'web' }],
  }));
}

test.each([{}, { list: 'kept' }])('chains of endpoints read like chains that were written down %j', (more) => {
  const chains = new EndpointChains('web', [one, two, three], { servicePort: 'web', ...more }, writer());

  const { chains: read } = joinTable({ name: 'nat' }, { head: [], parts: [itemsOf(chains, [one, three])], tail: [] });

  const choice: Rule = { matches: [], target: { kind: 'randomVerdictMap', chains: ['SEP 10.0.0.1:80', 'SEP 10.0.0.3:80'] } };
  expect(read).toEqual([{ name: 'SVC', rules: [FIRST, choice] }, ...written(one, two, three)]);
  expect(JSON.parse(JSON.stringify(read))).toEqual(read);
});

test('names are made for who reads them', () => {
  const names: string[] = [];
  const make = (endpoints: readonly ChainEndpoint[]): ChainItem[] =>
    itemsOf(new EndpointChains('web', endpoints, { servicePort: 'web' }, writeNoting), endpoints);
  const writeNoting = writer(names);

  const before = make([one, two]);
  const after = keepSameChains(before, make([one, three]));
  expect(names).toEqual([]);

  chainsIn(after);
  expect(names).toEqual([one.text, three.text]);
});

test('what says the same stays the same object', () => {
  const write = writer();
  const make = (...endpoints: readonly ChainEndpoint[]): ChainItem[] =>
    itemsOf(new EndpointChains('web', endpoints, { servicePort: 'web' }, write), [one]);
  const before = make(one, two);
  expect(keepSameChains(before, make(one, two))).toBe(before);

  const read = chainsIn(before);
  const after = chainsIn(keepSameChains(before, make(one, three)));
  expect(after[0]).toBe(read[0]);
  expect(after[1]).toBe(read[1]);
  expect(after[2]).not.toBe(read[2]);
  expect(after.slice(1)).toEqual(written(one, three));
});
