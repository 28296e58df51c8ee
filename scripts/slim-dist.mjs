// Before packing: takes out of dist/ what no user of the package can reach, which is declarations behind no entry, and the map of the
// command line.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
const entries = Object.values(exports).flatMap((target) => (target.types === undefined ? [] : [join(target.types)]));

/** Every `from './x.js'` and `import('./x.js')` of a declaration file, and of those behind it. */
const reached = new Set();
const visit = (file) => {
  if (reached.has(file) || !existsSync(file)) return;
  reached.add(file);
  for (const [, specifier] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()['"](\.[^'"]*)\.[jt]s['"]/g)) {
    visit(join(dirname(file), `${specifier}.d.ts`));
  }
};
entries.forEach(visit);

const isSuperfluous = (file) => {
  if (/\.d\.ts(\.map)?$/.test(file)) return !reached.has(file.replace(/\.map$/, ''));
  return file === join('dist/src/cli/main.js.map');
};
for (const entry of readdirSync('dist', { recursive: true })) {
  const file = join('dist', entry);
  if (isSuperfluous(file)) rmSync(file);
}
