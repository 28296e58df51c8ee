// The package's own files, found from where this module lies: in src/ under a loader, in dist/src/ when built.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from './io.ts';

export function packageVersion(): string {
  const read: unknown = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
  return typeof read === 'object' && read !== null && 'version' in read ? String(read.version) : 'unknown';
}

/** A file of the package, such as an example. */
export function packageFile(path: string): string {
  const file = join(packageRoot(), path);
  if (!existsSync(file)) throw new InputError(`${path} is not part of this installation: give a manifest with -f`);
  return file;
}

function packageRoot(): string {
  for (let directory = dirname(fileURLToPath(import.meta.url)); ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'package.json'))) return directory;
    if (directory === dirname(directory)) throw new InputError('package.json of svcplane is missing');
  }
}
