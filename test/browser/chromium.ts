// Debian's Chromium for tests: where it is, how it starts, and what no page may do. Loopback only.
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** undefined where there is none: tests then say so and are skipped. */
export const chromiumPath: string | undefined = PLACES.find((place) => existsSync(place));

export const NO_CHROMIUM = `skipped: no Chromium at ${PLACES.join(', ')}; apt-get install chromium`;

/** A Chromium with a fresh profile, that asks nothing of its makers' servers. */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch({
    ...(chromiumPath === undefined ? {} : { executablePath: chromiumPath }),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
