// Every example in a doc comment of the public API runs, so that the API reference tells the truth.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createIpvs } from '../../src/ipvs.ts';
import { runExample } from './run-example.ts';

/** The modules behind the entries that have examples. */
const MODULES = [
  'dataplane.ts',
  'js.ts',
  'wasm.ts',
  'external.ts',
  'api/manifests.ts',
  'api/config.ts',
  'cluster/cluster.ts',
  'dns/cluster-dns.ts',
  'dns/resolv-conf.ts',
  'ipvs/ipvs.ts',
  'ipvs/types.ts',
];

function examplesOf(file: string): string[] {
  const comments = readFileSync(`src/${file}`, 'utf8').matchAll(/\/\*\*(.*?)\*\//gs);
  return [...comments].flatMap(([, comment = '']) => {
    const [, example] = /@example(.*?)(?=\n \* @|$)/s.exec(comment) ?? [];
    return example === undefined ? [] : example.replace(/^ \* ?/gm, '').trim();
  });
}

const examples = MODULES.flatMap((file) => examplesOf(file).map((code, index) => ({ name: `${file} ${index + 1}`, file, code })));

test('there are examples in every one of them', () => {
  expect(MODULES.filter((file) => !examples.some((example) => example.file === file))).toEqual([]);
});

describe('examples of doc comments', () => {
  test.each(examples)('$name runs', async ({ file, code }) => {
    const own = ['js.ts', 'wasm.ts', 'external.ts'].includes(file) ? await import(`../../src/${file}`) : {};
    const web = { protocol: 'TCP', address: '10.96.0.10', port: 80 } as const;
    const ipvs = await createIpvs();
    if (!code.includes('ipvs.addService({')) ipvs.addService(web, { scheduler: 'rr' });
    if (code.startsWith('ipvs.editServer')) ipvs.addServer(web, { address: '10.0.0.1', port: 8080 });
    await runExample(code, { yaml: readFileSync('examples/hostnames.yaml', 'utf8'), web, ipvs, ...own });
  });
});
