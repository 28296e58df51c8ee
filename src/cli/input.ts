// Files, directories and standard input → objects. `-f` as kubectl reads it.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '../api/config.ts';
import { parseManifests } from '../api/manifests.ts';
import type { KubeProxyConfiguration, KubernetesObject } from '../api/types.ts';
import { ManifestError } from '../errors.ts';
import { decodeText } from './decode-text.ts';
import { InputError, type Io, UsageError } from './io.ts';
import type { InputOptions } from './options.ts';

const MANIFEST_EXTENSIONS = ['.yaml', '.yml', '.json'];

export interface ManifestRead {
  readonly objects: readonly KubernetesObject[];
  /** Files that could not be read as manifests. */
  readonly errors: readonly ManifestError[];
}

/** All objects of all `-f`. @throws ManifestError at the first file that is no manifest. */
export function readObjects(options: InputOptions, io: Io): readonly KubernetesObject[] {
  const { objects, errors } = readManifests(options, io);
  if (errors[0] !== undefined) throw errors[0];
  if (objects.length === 0) throw new InputError(`${(options.filename ?? []).join(', ')}: no objects found`);
  return objects;
}

/** All objects of all `-f`, and what is wrong with the other files. */
export function readManifests(options: InputOptions, io: Io): ManifestRead {
  if (options.filename === undefined) throw new UsageError('no manifests given: use -f FILE, -f DIRECTORY or -f - for standard input');
  const objects: KubernetesObject[] = [];
  const errors: ManifestError[] = [];
  for (const source of options.filename.flatMap((name) => sourcesOf(name, options.recursive === true, io))) {
    try {
      objects.push(...parseManifests(source.text(), source.origin));
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
      errors.push(error);
    }
  }
  return { objects, errors };
}

/** The files behind all `-f`, those of directories too. @throws InputError */
export function manifestFiles({ filename = [], recursive }: InputOptions): string[] {
  return filename.flatMap((name) => pathsOf(name, recursive === true));
}

/** The KubeProxyConfiguration of `--config`. */
export function readProxyConfig(file: string | undefined): KubeProxyConfiguration {
  return file === undefined ? {} : parseConfig(decodeText(readFile(file), file), file);
}

interface Source {
  readonly origin: string;
  text(): string;
}

function sourcesOf(name: string, isRecursive: boolean, io: Io): Source[] {
  if (name === '-') return [{ origin: originOf(name), text: () => readText(name, io) }];
  if (/^https?:\/\//.test(name)) throw new UsageError(`${name}: addresses are not fetched; try: curl -L ${name} | svcplane … -f -`);
  return pathsOf(name, isRecursive).map((path) => ({ origin: path, text: () => readText(path, io) }));
}

function pathsOf(name: string, isRecursive: boolean): string[] {
  const paths = isDirectory(name) ? manifestsIn(name, isRecursive) : [name];
  if (paths.length === 0)
    throw new InputError(
      `${name}: no ${MANIFEST_EXTENSIONS.join(', ')} files in this directory${isRecursive ? '' : ' (-R looks further down)'}`,
    );
  return paths;
}

function manifestsIn(directory: string, isRecursive: boolean): string[] {
  const entries = readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(directory, entry.name);
    if (isDirectory(path)) return isRecursive ? manifestsIn(path, true) : [];
    return MANIFEST_EXTENSIONS.some((extension) => entry.name.endsWith(extension)) ? [path] : [];
  });
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** What a message calls a file that may be standard input. */
export function originOf(file: string): string {
  return file === '-' ? '<stdin>' : file;
}

/** The text of a file, or of standard input where it is `-`. @throws InputError, with the reason in words */
export function readText(file: string, io: Io): string {
  return decodeText(file === '-' ? io.stdin() : readFile(file), originOf(file));
}

/** The bytes of a capture, from standard input as well. @throws InputError */
export function readCaptureFile(file: string, io: Io): Uint8Array {
  return file === '-' ? io.stdin({ isCapture: true }) : readFile(file);
}

function readFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
};

export function unreadable(path: string, error: unknown): InputError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return new InputError(`${path}: ${REASONS[code] ?? (error instanceof Error ? error.message : String(error))}`);
}
