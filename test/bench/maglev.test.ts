import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MAGLEV_SMOKE_SIZES, maglevLine, maglevText, measureMaglev } from '../../bench/maglev.ts';

const measured = measureMaglev(MAGLEV_SMOKE_SIZES);
const row = (variant: string, servers: number) => measured.find((one) => one.variant === variant && one.servers === servers);

describe('shares and moves of sh and mh', () => {
  test('mh moves little more than it must, sh nearly all', () => {
    expect(row('mh', 10)?.added).toBeLessThan(1 / 11 + 0.02);
    expect(row('sh', 10)?.added).toBeGreaterThan(0.9);
  });

  test('a drained server moves its own clients and no others with a fallback flag, and refuses them without', () => {
    for (const scheduler of ['sh', 'mh']) {
      expect(row(`${scheduler}-fallback`, 10)).toMatchObject({ refused: 0 });
      expect(row(scheduler, 10)?.refused).toBe(row(scheduler, 10)?.drained);
      expect(row(`${scheduler}-fallback`, 10)?.drained).toBe(row(scheduler, 10)?.drained);
    }
  });

  test('the document has the figures that the benchmark prints', () => {
    const squeeze = (text: string) => text.replaceAll(/ +/g, ' ');
    const lines = squeeze(readFileSync('docs/maglev.md', 'utf8')).split('\n');
    const rows = squeeze(maglevText(measured))
      .split('\n')
      .filter((line) => line.includes('%'));
    expect(rows).toHaveLength(measured.length);
    expect(lines).toEqual(expect.arrayContaining(rows));
  });

  test('a line of JSON names variant and size', () => {
    expect(JSON.parse(maglevLine(measured[0] ?? expect.unreachable()))).toMatchObject({
      bench: 'maglev',
      variant: 'sh',
      size: 3,
      refused: 0.33333,
    });
  });
});
