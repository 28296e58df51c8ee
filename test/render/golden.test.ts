// What a small cluster is rendered to, tool by tool. After a wanted change: UPDATE_GOLDEN=1 npx vitest run test/render, and read the diff.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Rendered } from '../../src/dataplane-types.ts';
import type { ProxyMode } from '../../src/packet.ts';
import { goldenDataplane, goldenFolder } from './golden.ts';

const MODES: readonly ProxyMode[] = ['iptables', 'nftables', 'ipvs'];

describe.each(MODES)('the small cluster in %s mode', (mode) => {
  const parts = goldenDataplane(mode).render();

  test.each(parts.map((part) => ({ part, file: fileOf(mode, part) })))('reads as $file', ({ part, file }) => {
    const golden = new URL(file, goldenFolder);
    if (process.env.UPDATE_GOLDEN !== undefined) writeFileSync(golden, part.text);

    expect(part.text).toBe(existsSync(golden) ? readFileSync(golden, 'utf8') : '');
  });
});

/** `nftables.nft.IPv6.txt`: tools of both modes print different things. */
function fileOf(mode: ProxyMode, { tool, family }: Rendered): string {
  return [mode, tool, ...(family === undefined ? [] : [family]), 'txt'].join('.');
}
