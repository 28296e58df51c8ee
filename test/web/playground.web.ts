// The playground as visitors use it: examples, a packet's walk, connections, share links, broken YAML; at a desk and on a phone.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeAddresses } from '../../src/cluster/nodes.ts';
import { createCluster } from '../../src/cluster.ts';
import { createDataplaneSync, type Explanation, type Packet, parseManifests, type Verdict } from '../../src/index.ts';
import { chromiumPath, launchChromium, NO_CHROMIUM } from '../browser/chromium.ts';
import { type StaticServer, serveFolder } from '../browser/static-server.ts';
import { SIZES, Visitor } from './playground-page.ts';

const isSkipped = chromiumPath === undefined;
if (isSkipped) console.warn(NO_CHROMIUM);

/** What the library says in Node about the same packet. */
function ask(
  file: string,
  mode: 'iptables' | 'nftables' | 'ipvs',
  nodeName: string,
  packet: Omit<Packet, 'destination'> & { destination?: string },
) {
  const cluster = createCluster();
  cluster.apply(parseManifests(readFileSync(file, 'utf8')));
  const node = cluster.objects('Node').find(({ metadata }) => metadata.name === nodeName);
  const nodeIPs = node === undefined ? [] : nodeAddresses(node);
  const { serviceCIDRs } = cluster;
  const config = { clusterCIDR: '10.244.0.0/16' };
  using dataplane = createDataplaneSync({ mode, nodeName, nodeIPs, serviceCIDRs, config, seed: 1, now: () => 0 });
  cluster.connect(dataplane);
  const destination = packet.destination ?? dataplane.servicePorts()[0]?.frontends[0]?.address ?? '';
  const whole = { ...packet, destination };
  return { explanation: dataplane.explain(whole), verdict: dataplane.process(whole) };
}

function chances({ outcomes }: Explanation): { readonly chance: string; readonly name: string }[] {
  return outcomes.map(({ action, backend, probability }) => ({
    chance: `${Number((probability * 100).toFixed(1))}%`,
    name: backend === undefined ? action : `${backend.address}:${backend.port}`,
  }));
}

/** On one line: typed text becomes one change a line. */
const DUAL_STACK = JSON.stringify({
  apiVersion: 'v1',
  kind: 'List',
  items: [
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n1' },
      spec: { podCIDRs: ['10.244.1.0/24', 'fd00:10:244:1::/64'] },
      status: {
        addresses: [
          { type: 'InternalIP', address: '192.168.0.11' },
          { type: 'InternalIP', address: 'fd00::11' },
        ],
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web' }] } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { type: 'NodePort', ipFamilyPolicy: 'RequireDualStack', selector: { app: 'web' }, ports: [{ port: 80, nodePort: 30080 }] },
    },
  ],
});

const fromPod = { protocol: 'TCP', source: '10.244.1.250', sourcePort: 40000, destinationPort: 80 } as const;
const fromOutside = { protocol: 'TCP', source: '203.0.113.10', sourcePort: 40000 } as const;

describe.skipIf(isSkipped)(`the playground${isSkipped ? ` (${NO_CHROMIUM})` : ''}`, () => {
  let browser: Browser;
  let server: StaticServer;
  beforeAll(async () => {
    server = await serveFolder(`${process.cwd()}/web/dist`);
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  describe.each(SIZES)('on a $name', (size) => {
    const open = (fragment = '') => Visitor.open(browser, `${server.origin}/`, size, fragment);

    /** The page and the library must say the same. */
    async function expectAnswer(visitor: Visitor, { explanation, verdict }: { explanation: Explanation; verdict: Verdict }): Promise<void> {
      expect(await visitor.outcomes()).toEqual(chances(explanation));
      const banner = visitor.page.locator('.verdict');
      expect(await banner.getAttribute('data-action')).toBe(verdict.action);
      expect(await banner.innerText()).toContain(`${verdict.rulesEvaluated} rules looked at`);
    }

    test('says what the library says, in every mode and on both engines', async () => {
      const visitor = await open();
      for (const mode of ['iptables', 'nftables', 'ipvs'] as const) {
        await visitor.page.locator(`input[name=Mode][value=${mode}]`).check();
        for (const engine of ['wasm', 'js']) {
          await visitor.page.getByLabel('Engine').selectOption(engine);
          await visitor.page.getByText(`by ${engine === 'wasm' ? 'WebAssembly' : 'TypeScript'}.`).waitFor();
          await expectAnswer(visitor, ask('examples/hostnames.yaml', mode, 'node-1', fromPod));
        }
      }
      await visitor.leave();
    });

    test('explains a node port with traffic policy Local, where there is a Pod and where there is none', async () => {
      const visitor = await open();
      await visitor.choose('nodeport-local');
      const packet = { ...fromOutside, destination: '192.168.0.12', destinationPort: 30080 };
      await expectAnswer(visitor, ask('web/examples/nodeport-local.yaml', 'iptables', 'node-2', packet));
      await visitor.screenshot('nodeport-local');
      await visitor.page.getByLabel('To', { exact: true }).fill('192.168.0.13:30080');
      await expectAnswer(
        visitor,
        ask('web/examples/nodeport-local.yaml', 'iptables', 'node-3', { ...packet, destination: '192.168.0.13' }),
      );
      expect(await visitor.page.locator('.outcomes').innerText()).toContain('usable, but not on this node');
      await visitor.screenshot('nodeport-dropped');
      await visitor.leave();
    });

    test('walks a packet step by step, and nothing moves but the packet', async () => {
      const visitor = await open();
      const { page } = visitor;
      const heightOf = () => page.evaluate('document.documentElement.scrollHeight');
      const height = await heightOf();
      await page.evaluate(
        "globalThis.shift = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shift += entry.value; }).observe({ type: 'layout-shift' })",
      );
      await page.locator('.steps').focus();
      const seen: string[] = [];
      for (let step = 0; step < 6; step++) {
        await page.keyboard.press('ArrowDown');
        seen.push(await page.locator('.entry.current').innerText());
      }
      expect(new Set(seen).size).toBe(6);
      await visitor.screenshot('walking');
      await page.keyboard.press('End');
      expect(await page.locator('.hooks .current').innerText()).toBeTruthy();
      expect(await page.locator('.stages').innerText()).toContain('The reply comes back');
      expect(await heightOf()).toBe(height);
      expect(await page.evaluate('globalThis.shift')).toBe(0);
      await visitor.leave();
    });

    test('steps with the arrow keys from the buttons too, and says in the banner where the packet went and why it was masqueraded', async () => {
      const visitor = await open();
      const { page } = visitor;
      await visitor.choose('load-balancer');
      const { verdict } = ask('web/examples/load-balancer.yaml', 'iptables', 'node-1', {
        ...fromOutside,
        destination: '198.51.100.10',
        destinationPort: 443,
      });
      const banner = await page.locator('.verdict').innerText();
      expect(banner).toContain(`goes to ${verdict.backend?.address}:${verdict.backend?.port}, one of 3 backends; masqueraded`);
      expect(banner).toContain('Why masqueraded: external traffic');
      await page.getByLabel('One step on').focus();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowLeft');
      await page.getByText(/^1 of \d+$/).waitFor();
      await page.keyboard.press('Escape');
      expect(await page.locator('.entry.current').count()).toBe(0);
      await visitor.leave();
    });

    test('lists no endpoints of the other family for a packet, and says that broken manifests are not what it speaks of', async () => {
      const visitor = await open();
      const { page } = visitor;
      const editor = page.getByLabel('Manifests, in YAML or JSON');
      await editor.fill(DUAL_STACK);
      await page.getByLabel('From', { exact: true }).fill('external');
      await page.getByLabel('To', { exact: true }).fill('[fd00::11]:30080');
      expect(await visitor.outcomes()).toHaveLength(2);
      expect(await page.locator('.outcomes').innerText()).not.toContain('Not for this packet');
      await editor.fill('kind: [');
      await page.locator('.verdict').getByText('The manifests are broken').waitFor();
      await visitor.leave();
    });

    test('sends connections, which follow the Pods', async () => {
      const visitor = await open();
      const { page } = visitor;
      await visitor.view('connections');
      await page.getByText('Send 1,000 connections').click();
      await page.locator('.bars[data-sent="1"]').waitFor();
      const counts = async () => (await page.locator('.bars .count').allInnerTexts()).map((text) => Number.parseInt(text, 10));
      const before = await counts();
      expect(before.reduce((sum, count) => sum + count, 0)).toBe(1000);
      expect(before.every((count) => count > 250)).toBe(true);
      await page.locator('.is-ready').first().click();
      await page.getByText('Send 1,000 connections').click();
      await page.locator('.bars[data-sent="2"]').waitFor();
      const after = await counts();
      expect([...after].sort((a, b) => a - b)[0]).toBe(0);
      expect(after.reduce((sum, count) => sum + count, 0)).toBe(1000);
      await visitor.screenshot('connections');
      await visitor.leave();
    });

    test('sends connections elsewhere when another IPVS scheduler is chosen', async () => {
      const visitor = await open();
      const { page } = visitor;
      await page.locator('input[name=Mode][value=ipvs]').check();
      await visitor.view('connections');
      const thousand = async (scheduler: string) => {
        await page.getByLabel('Scheduler').selectOption(scheduler);
        await page.locator('.bars[data-sent="0"]').waitFor();
        await page.getByText('Send 1,000 connections').click();
        await page.locator('.bars[data-sent="1"]').waitFor();
        const counts = await page.locator('.bars .count').allInnerTexts();
        return counts.map((text) => Number.parseInt(text, 10)).sort((a, b) => a - b);
      };
      expect(await thousand('rr')).toEqual([333, 333, 334]);
      // By the client's address alone, which is the same for all of them.
      expect((await thousand('sh')).at(-1)).toBe(1000);
      await visitor.leave();
    });

    test('shows two modes side by side', async () => {
      const visitor = await open();
      await visitor.choose('load-balancer');
      await visitor.view('modes');
      expect(await visitor.page.locator('.mode-column').count()).toBe(2);
      expect(await visitor.page.locator('.findings li').first().innerText()).toContain('NodePorts stop answering on loopback addresses');
      expect(await visitor.page.locator('.differences h3').last().innerText()).toMatch(/^Every Service.* answers differ$/);
      await visitor.screenshot('modes');
      await visitor.page.locator('.findings button').first().click();
      expect(await visitor.page.locator('.mode-column').first().innerText()).toContain('masqueraded');
      expect(await visitor.page.locator('.mode-column').last().innerText()).toContain('ACCEPT');
      await visitor.leave();
    });

    test('measures the cost in the browser', async () => {
      const visitor = await open();
      await visitor.view('cost');
      await visitor.page.getByText('Measure in this browser').click();
      await visitor.page.getByText(/^[1-6] of 6 numbers/).waitFor();
      expect(await visitor.page.locator('.cost-view section tbody tr').first().innerText()).toMatch(/\d (ns|µs)/);
      await visitor.screenshot('cost');
      await visitor.leave();
    });

    test('puts everything into a link, which a fresh page opens', async () => {
      const visitor = await open();
      await visitor.choose('session-affinity');
      await visitor.page.locator('input[name=Mode][value=nftables]').check();
      await visitor.page.getByLabel('From', { exact: true }).fill('external');
      await visitor.page.locator('.is-ready').first().click();
      await visitor.page.getByText('Share', { exact: true }).click();
      await visitor.page.getByText(/holds everything you see/).waitFor();
      const fragment = new URL(visitor.page.url()).hash;
      const banner = await visitor.page.locator('.verdict').innerText();
      const outcomes = await visitor.outcomes();
      expect(outcomes).toHaveLength(3);
      await visitor.leave();
      const other = await open(fragment);
      expect(await other.page.locator('.verdict').innerText()).toBe(banner);
      expect(await other.outcomes()).toEqual(outcomes);
      await other.leave();
    });

    test('says what is wrong with a link that cannot be read', async () => {
      const visitor = await open('#1thisisnolink');
      expect(await visitor.page.locator('.said').innerText()).toMatch(
        /^The link cannot be opened: .* This is the first example instead\.$/,
      );
      await visitor.leave();
    });

    test('shows errors in manifests at their line, and goes on with the last whole ones', async () => {
      const visitor = await open();
      const { page } = visitor;
      const editor = page.getByLabel('Manifests, in YAML or JSON');
      const whole = await editor.inputValue();
      await editor.fill(whole.replace('port: 80', 'port: 80000'));
      await page.locator('.problems').waitFor();
      expect(await page.locator('.problems').innerText()).toMatch(/^line 12\s+service default\/hostnames: spec\.ports\[0\]\.port/);
      expect(await page.locator('.bad-line').innerText()).toBe('12');
      await editor.fill(`${whole}\n  : [`);
      await page.getByText('service default/hostnames: spec.ports[0].port').waitFor({ state: 'detached' });
      expect(await page.locator('.problems').innerText()).toMatch(/^line \d+/);
      expect(await visitor.outcomes()).toHaveLength(3);
      await visitor.screenshot('broken');
      await page.locator('.problems button').first().click();
      await editor.fill(whole);
      await page.locator('.problems').waitFor({ state: 'detached' });
      await visitor.leave();
    });

    test('reads what is typed when typing pauses, and at once when the editor is left', async () => {
      const visitor = await open();
      const { page } = visitor;
      await page.clock.install({ time: 0 });
      await page.clock.pauseAt(3_600_000);
      const editor = page.getByLabel('Manifests, in YAML or JSON');
      const whole = await editor.inputValue();
      await editor.fill(`${whole}\n  : [`);
      await page.clock.runFor(149);
      await editor.fill(`${whole}\n  : [[`);
      await page.clock.runFor(149);
      expect(await page.locator('.problems').count()).toBe(0);
      await page.clock.runFor(1);
      await page.locator('.problems').waitFor();
      await editor.fill(whole);
      expect(await page.locator('.problems').count()).toBe(1);
      await editor.blur();
      await page.locator('.problems').waitFor({ state: 'detached' });
      expect(await editor.inputValue()).toBe(whole);
      await visitor.leave();
    });

    test.each(['light', 'dark'] as const)('has no serious accessibility problem in %s colours', async (colorScheme) => {
      const visitor = await open();
      await visitor.page.emulateMedia({ colorScheme });
      for (const view of ['walk', 'connections', 'modes', 'cost'] as const) {
        await visitor.view(view);
        await visitor.screenshot(`${view}-${colorScheme}`);
        expect(await visitor.seriousProblems(), view).toEqual([]);
      }
      await visitor.leave();
    });
  });

  test('works as a single file, opened without a server', async () => {
    const address = pathToFileURL('web/dist/playground.html').href;
    const visitor = await Visitor.open(browser, address, { name: 'file', width: 1440, height: 900 });
    await visitor.choose('session-affinity');
    await visitor.page.getByText('Share', { exact: true }).click();
    await visitor.page.getByText(/holds everything you see/).waitFor();
    const { hash } = new URL(visitor.page.url());
    const outcomes = await visitor.outcomes();
    await visitor.view('cost');
    await visitor.page.getByText('Measure in this browser').click();
    await visitor.page.getByText(/^[1-6] of 6 numbers/).waitFor();
    await visitor.leave();
    const other = await Visitor.open(browser, address, { name: 'file', width: 1440, height: 900 }, hash);
    expect(await other.outcomes()).toEqual(outcomes);
    await other.screenshot('shared');
    await other.leave();
  });

  test('comes in less than 400 kB', async () => {
    const page = await browser.newPage();
    const sizes: Promise<number>[] = [];
    page.on('response', (response) => sizes.push(response.body().then((body) => gzipSync(body).length)));
    await page.goto(`${server.origin}/`);
    await page.waitForSelector('.outcome');
    const answeredAt = Number(await page.evaluate('performance.now()'));
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    console.log(`${bytes} bytes as compressing hosts send them, answered after ${Math.round(answeredAt)} ms`);
    expect(bytes).toBeLessThan(400_000);
    await page.close();
  });
});
