import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { svcplane } from './command.ts';

const BOUTIQUE = '../shared/manifests/online-boutique.yaml';

describe('svcplane demo', () => {
  it('shows the main job on the example', async () => {
    const { code, stdout } = await svcplane(['demo', '--seconds', '0.05']);
    expect(code).toBe(0);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain('10.244.1.2:9376,10.244.2.2:9376,10.244.3.2:9376');
    expect(stdout).toContain('DNAT to one of 3 backends');
    const turns = [...stdout.matchAll(/^400\d\d +\S+ +(\S+)$/gm)].map(([, pod]) => pod);
    expect(turns).toHaveLength(12);
    expect(new Set(turns.slice(0, 3)).size).toBe(3);
    expect(turns).toEqual(turns.map((_, index) => turns[index % 3]));
    expect(stdout).toMatch(/is not ready: \S+ is gone from the endpoints/);
    const [, iptables, ipvs] = /^10,000 +([\d,]+) +([\d,]+)/m.exec(stdout) ?? [];
    expect(Number(iptables?.replace(',', ''))).toBeGreaterThan(10_000);
    expect(Number(ipvs)).toBeLessThan(30);
    expect(stdout).toMatch(/WebAssembly is [\d.]+ times as fast/);
  });

  it.skipIf(!existsSync(BOUTIQUE))('shows it on a real application', async () => {
    const { code, stdout } = await svcplane(['demo', '--seconds', '0.05', '-f', BOUTIQUE]);
    expect(code).toBe(0);
    expect(stdout).toContain('Deployment frontend has one replica');
    expect(stdout).toContain('frontend.default');
  });

  it('says so when there is nothing to show', async () => {
    const stdin = '{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}]}}';
    expect(await svcplane(['demo', '-f', '-'], { stdin })).toMatchObject({ code: 3, stderr: expect.stringContaining('nothing to show') });
  });
});
