// Writes the pages of docs/reference/ that follow from the sources. `npm run docs` writes them, `npm run docs -- --check` says whether
// they are current.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cliReference } from './cli-reference.ts';
import { memoryLayout } from './memory-layout.ts';

const pages: Readonly<Record<string, () => string>> = {
  'docs/reference/cli.md': cliReference,
  'docs/reference/memory-layout.md': memoryLayout,
};

const isCheck = process.argv.includes('--check');
const stale = Object.entries(pages).filter(([file, page]) => {
  const text = page();
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return false;
  if (!isCheck) writeFileSync(file, text);
  return true;
});
for (const [file] of stale) console.log(isCheck ? `${file} is not current: npm run docs` : `wrote ${file}`);
if (isCheck && stale.length > 0) process.exitCode = 1;
