import { expect, test } from 'vitest';
import { NamedChains } from '../../src/explain/named-chains.ts';
import { EndpointChains } from '../../src/program/endpoint-chains.ts';
import { joinTable } from '../../src/program/joined.ts';
import type { Chain } from '../../src/program/ruleset.ts';

test('chains of endpoints are found once somebody came to the chain that leads there, and no others are named', () => {
  const named: string[] = [];
  const chainsOf = (service: string): readonly [Chain, EndpointChains] => {
    const endpoints = ['10.0.0.1', '10.0.0.2'].map((address) => ({ address, port: 80, text: `${address}:80` }));
    const chains = new EndpointChains(service, endpoints, service, {
      name(of, { text }) {
        named.push(`${of} ${text}`);
        return `SEP ${of} ${text}`;
      },
      servicePort: (of) => of,
      isDrawnInTurn: false,
      likeness: () => 'alike',
      rules: (servicePort, { address, port }) => [{ matches: [], target: { kind: 'dnat', address, port }, servicePort }],
      choice: (_of, _endpoints, names) => [{ matches: [], target: { kind: 'randomVerdictMap', chains: names } }],
    });
    return [chains.chooser(`SVC ${service}`, endpoints, []), chains];
  };
  const base: Chain = { name: 'PREROUTING', rules: [], base: { hook: 'PREROUTING', type: 'nat', priority: -100, policy: 'accept' } };
  const table = joinTable({ name: 'nat' }, { head: [base], parts: [[...chainsOf('a')], [...chainsOf('b')]], tail: [] });

  const chains = new NamedChains(table);
  expect(chains.bases).toEqual([base]);
  expect(chains.get('SVC a')?.name).toBe('SVC a');
  expect(chains.get('SEP a 10.0.0.2:80')?.rules[0]?.target).toEqual({ kind: 'dnat', address: '10.0.0.2', port: 80 });
  expect(chains.get('SEP a 10.0.0.3:80')).toBeUndefined();
  expect(named).toEqual(['a 10.0.0.1:80', 'a 10.0.0.2:80']);
});
