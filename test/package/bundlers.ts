// The bundlers that the README promises, each with the configuration that it has when nobody writes one.
import { join } from 'node:path';
import commonjs from '@rollup/plugin-commonjs';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import { build as esbuild } from 'esbuild';
import { type Plugin, rollup } from 'rollup';
import { build as vite } from 'vite';
import webpack from 'webpack';

/** Its declarations speak of a CommonJS module, which it is not. */
const commonjsPlugin = commonjs as unknown as () => Plugin;

/** Bundles a page's script of the project into `folder`/page.js, for browsers. */
export type Bundle = (project: string, folder: string, script: string) => Promise<void>;

export const bundlers: Readonly<Record<string, Bundle>> = {
  async esbuild(project, folder, script) {
    const entryPoints = [join(project, script)];
    await esbuild({ entryPoints, bundle: true, format: 'esm', minify: true, outfile: join(folder, 'page.js'), logLevel: 'error' });
  },
  async vite(project, folder, script) {
    const rolldownOptions = { input: join(project, script), output: { entryFileNames: 'page.js' } };
    await vite({ root: project, configFile: false, logLevel: 'error', build: { outDir: folder, rolldownOptions } });
  },
  async webpack(project, folder, script) {
    const compiler = webpack({
      context: project,
      entry: `./${script}`,
      mode: 'production',
      performance: false,
      output: { path: folder, filename: 'page.js' },
    });
    await new Promise<void>((resolve, reject) => {
      compiler.run((error, stats) => {
        if (error !== null && error !== undefined) reject(error);
        else if (stats?.hasErrors() || stats?.hasWarnings()) reject(new Error(stats.toString()));
        else compiler.close(() => resolve());
      });
    });
  },
  async rollup(project, folder, script) {
    const bundle = await rollup({
      input: join(project, script),
      // A browser has no built-in `buffer`: the package of that name is meant (svcplane/dns).
      plugins: [nodeResolve({ browser: true, preferBuiltins: false }), commonjsPlugin()],
      onwarn: (warning) => {
        throw new Error(warning.message);
      },
    });
    await bundle.write({ file: join(folder, 'page.js'), format: 'es' });
    await bundle.close();
  },
};
