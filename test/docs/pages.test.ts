// The documentation holds together: every link leads somewhere, every page says first what it is good for, every example runs.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runExample } from './run-example.ts';

const docs = readdirSync('docs', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.md'))
  .map((file) => join('docs', file));
const pages = ['README.md', 'CHANGELOG.md', ...docs].sort();

/** As forges make them of a heading. */
function anchorsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function brokenLinks(file: string): string[] {
  const text = readFileSync(file, 'utf8').replace(/```.*?```/gs, '');
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => {
    if (/^https?:/.test(target)) return false;
    const [path = '', anchor] = target.split('#');
    const place = path === '' ? file : join(dirname(file), path);
    return !existsSync(place) || (anchor !== undefined && !anchorsOf(place).includes(anchor));
  });
}

test.each(pages)('every link of %s leads somewhere', (file) => {
  expect(brokenLinks(file)).toEqual([]);
});

test.each(docs)('%s says first what its reader can do after it', (file) => {
  const beginning = readFileSync(file, 'utf8')
    .replace(/^<!--.*?-->\s*/s, '')
    .slice(0, 500);
  expect(beginning.replaceAll('\n', ' ')).toContain('After this page you can ');
});

const guides = docs.filter((file) => file.startsWith('docs/guides/') || file === 'docs/getting-started.md');
const examples = guides.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ''], index) => ({ name: `${file} ${index + 1}`, code })),
);

describe('examples of the guides', () => {
  test.each(examples)('$name runs', async ({ code }) => {
    await runExample(code);
  });
});
