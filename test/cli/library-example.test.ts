// The lines of the README are those of examples/library.ts, and they run.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('the README shows the library example', () => {
  const [, shown] = /```ts\n([\s\S]*?)```/.exec(readFileSync('README.md', 'utf8')) ?? [];
  const [, ...example] = readFileSync('examples/library.ts', 'utf8').split('\n');
  expect(shown).toBe(example.join('\n'));
});

// The example imports the package by its name, as a user would: it needs what `npm run build` makes, which `npm test` runs first.
it.skipIf(!existsSync('dist/src/index.js'))('the library example runs against the built package', () => {
  const output = execFileSync(process.execPath, ['node_modules/tsx/dist/cli.mjs', 'examples/library.ts'], { encoding: 'utf8' });
  expect(output).toContain("action: 'DNAT'");
  expect(output.match(/port: 9376 \} 0\.33/g)).toHaveLength(3);
});
