import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';

// The example imports the package by its name, as a user would: it needs what `npm run build` makes, which `npm test` runs first.
it.skipIf(!existsSync('dist/src/index.js'))('the library example runs against the built package', () => {
  const output = execFileSync(process.execPath, ['node_modules/tsx/dist/cli.mjs', 'examples/library.ts'], { encoding: 'utf8' });
  expect(output).toContain("action: 'DNAT'");
  expect(output.match(/port: 9376 \} 0\.33/g)).toHaveLength(3);
});
