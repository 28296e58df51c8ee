// The playground as one file, web/dist/playground.html, to open without a web server or to send to somebody: browsers load no modules
// for a page that was opened as a file, but run those that stand in it.
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { mergeConfig, type Plugin } from 'vite';
import { viteSingleFile } from 'vite-plugin-singlefile';
import folder from './vite.config.ts';

const FILE = 'playground.html';
/** Stands in the policy until the script is complete. */
const SCRIPT_HASH = 'sha256-of-the-script';

export default mergeConfig(folder, {
  resolve: {
    alias: [
      {
        find: /^.*\/start-cost-worker\.ts$/,
        replacement: fileURLToPath(new URL('src/start-inlined-cost-worker.ts', import.meta.url)),
      },
    ],
  },
  worker: { format: 'iife' }, // without an origin a page starts no module as a worker
  plugins: [askNobody(), viteSingleFile({ outputFileName: FILE, removeViteModuleLoader: true }), allowScript()],
  build: { emptyOutDir: false, modulePreload: false },
});

/** The page's policy, where what lay beside the page stands in it; but for the icon, which Vite leaves outside. */
function askNobody(): Plugin {
  return {
    name: 'svcplane:ask-nobody',
    transformIndexHtml: {
      order: 'pre',
      handler: (html) =>
        html
          .replace(/<link rel="icon".*>/, '')
          .replace("script-src 'self'", `script-src '${SCRIPT_HASH}'`)
          .replace("worker-src 'self'", 'worker-src blob:')
          .replace("connect-src 'self'; ", '')
          .replace("img-src 'self' data:", 'img-src data:')
          .replace("style-src 'self' 'unsafe-inline'", "style-src 'unsafe-inline'"),
    },
  };
}

function allowScript(): Plugin {
  return {
    name: 'svcplane:allow-script',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const page = bundle[FILE];
        if (page?.type !== 'asset') throw new Error(`${FILE} was not made`);
        const html = String(page.source);
        const script = /<script type="module"[^>]*>([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
        page.source = html.replace(SCRIPT_HASH, `sha256-${createHash('sha256').update(script).digest('base64')}`);
      },
    },
  };
}
