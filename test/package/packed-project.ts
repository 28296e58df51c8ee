// Before the packaging tests: packs the package, and installs the tarball into an empty project of its own.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The project that has svcplane installed, and nothing else. */
    readonly project: string;
    readonly tarball: string;
  }
}

export default function setup({ provide }: TestProject): () => void {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'svcplane-package-')));
  execFileSync('npm', ['pack', '--loglevel', 'error', '--pack-destination', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? 'no tarball');
  const project = join(folder, 'project');
  cpSync('test/package/project', project, { recursive: true });
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true }));
  execFileSync('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  provide('project', project);
  provide('tarball', tarball);
  return () => rmSync(folder, { recursive: true, force: true });
}
