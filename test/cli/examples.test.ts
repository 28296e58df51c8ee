// The lines of the README are those of examples/library.ts, and the examples run.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('the README shows the library example', () => {
  const [, shown] = /```ts\n([\s\S]*?)```/.exec(readFileSync('README.md', 'utf8')) ?? [];
  const [, ...example] = readFileSync('examples/library.ts', 'utf8').split('\n');
  expect(shown).toBe(example.join('\n'));
});

// The examples import the package by its name, as a user would: they need what `npm run build` makes, which `npm test` runs first.
const isBuilt = existsSync('dist/src/index.js');
function outputOf(example: string): string {
  return execFileSync(process.execPath, ['node_modules/tsx/dist/cli.mjs', `examples/${example}.ts`], { encoding: 'utf8' });
}

it.skipIf(!isBuilt)('the library example runs against the built package', () => {
  const output = outputOf('library');
  expect(output).toContain("action: 'DNAT'");
  expect(output.match(/port: 8080 \} 0\.33/g)).toHaveLength(3);
});

it.skipIf(!isBuilt)('the discovery example: DNS, endpoints and routing leave a drained node together', () => {
  const [before = '', drained = '', after = ''] = outputOf('discovery').split(/node-2 drained:\n|30 seconds later:\n/);
  expect(before).toMatch(/^ {2}web → 10\.\d+\.\d+\.\d+ \(query 1\) → web-\w+-\w+ on node-\d$/m);
  expect(before).toMatch(/^ {2}db-0\.db → 10\.244\.2\.\d+ \(query 1\) → db-0 on node-2$/m);
  expect(before).toContain('db is 3 Pods, on node-1, node-2, node-3');
  for (const later of [drained, after]) expect(later).not.toContain('node-2');
  expect(drained).toMatch(/^ {2}db-0\.db → no such name$/m);
  expect(drained).toContain('db is 2 Pods, on node-1, node-3');
  expect(after).toMatch(/^ {2}db-0\.db → 10\.244\.[13]\.\d+ \(query 1\) → db-0 on node-[13]$/m);
  expect(after).toContain('db is 3 Pods, on node-1, node-3');
});
