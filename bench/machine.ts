// The machine and the versions behind figures: an absolute number says nothing without them.
import { readFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform, totalmem } from 'node:os';
import { gccVersion } from './native/build.ts';

export interface Machine {
  readonly machine: string;
  readonly versions: string;
}

export function machineText(): string {
  const { machine, versions } = describeMachine();
  return [
    `machine: ${machine}`,
    `versions: ${versions}`,
    'One process a variant, rounds in turn; results compared before a figure counts. x wasm, x twin: time by their time, medians of the paired rounds.',
  ].join('\n');
}

export function describeMachine(): Machine {
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? 'unknown processor';
  const load = loadavg()
    .map((value) => value.toFixed(2))
    .join(' ');
  return {
    machine: `${processors.length} x ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${platform()} ${arch()}, load ${load}`,
    versions: `svcplane ${version('../package.json')}, node ${process.versions.node}, v8 ${process.versions.v8}, tinybench ${version('../node_modules/tinybench/package.json')}, ${gccVersion()}`,
  };
}

function version(path: string): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown';
}
