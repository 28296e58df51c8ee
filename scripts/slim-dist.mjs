// Before packing: takes out of dist/ the declarations that no user of the package can reach.
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

const isSuperfluous = (file) => /\.d\.ts(\.map)?$/.test(file) && !reached.has(file.replace(/\.map$/, ''));
for (const entry of readdirSync('dist', { recursive: true })) {
  const file = join('dist', entry);
  if (isSuperfluous(file)) rmSync(file);
}
