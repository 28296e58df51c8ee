// One visitor of the built playground: a page of its own, which must stay silent and must ask nobody but its own server or, as a file, nobody.
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';

export const SCREENSHOTS = resolve('build/screenshots');

export interface Size {
  readonly name: string;
  readonly width: number;
  readonly height: number;
}

export const SIZES: readonly Size[] = [
  { name: 'desktop', width: 1440, height: 900 },
  { name: 'phone', width: 390, height: 844 },
];

export class Visitor {
  readonly page: Page;
  readonly #size: Size;
  readonly #complaints: string[] = [];

  private constructor(page: Page, address: string, size: Size) {
    this.page = page;
    this.#size = size;
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.#complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.#complaints.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(address) && !request.url().startsWith('blob:')) this.#complaints.push(`asked ${request.url()}`);
    });
  }

  /** `address`: the page's; whatever does not lie below it is none of its business. */
  static async open(browser: Browser, address: string, size: Size, fragment = ''): Promise<Visitor> {
    const page = await browser.newPage({ viewport: { width: size.width, height: size.height } });
    page.setDefaultTimeout(60_000);
    const visitor = new Visitor(page, address, size);
    await page.goto(address + fragment);
    await page.waitForSelector('.verdict');
    return visitor;
  }

  /** What each outcome's button says: `33.3%` and the name of the backend or the action. */
  async outcomes(): Promise<{ readonly chance: string; readonly name: string }[]> {
    const buttons = await this.page.locator('.outcome').all();
    return Promise.all(
      buttons.map(async (button) => ({
        chance: await button.locator('.chance').innerText(),
        name: await button.locator('.who b').innerText(),
      })),
    );
  }

  async choose(example: string): Promise<void> {
    await this.page.getByLabel('Example').selectOption(example);
  }

  async view(name: 'walk' | 'connections' | 'modes' | 'cost'): Promise<void> {
    await this.page.locator(`#tab-${name}`).click();
  }

  async screenshot(name: string): Promise<void> {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: `${SCREENSHOTS}/${this.#size.name}-${name}.png`, fullPage: this.#size.name === 'phone' });
  }

  /** The accessibility problems that axe takes for serious or critical. */
  async seriousProblems(): Promise<string[]> {
    await this.page.evaluate(axe.source);
    return this.page.evaluate(async () => {
      const { axe: checker } = globalThis as unknown as { axe: { run(): Promise<{ violations: readonly Violation[] }> } };
      interface Violation {
        readonly id: string;
        readonly impact: string;
        readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
      }
      const { violations } = await checker.run();
      return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`);
    });
  }

  /** Closes the page, which must have been silent. */
  async leave(): Promise<void> {
    await this.page.close();
    expect(this.#complaints).toEqual([]);
  }
}
