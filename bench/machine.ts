// The machine and the versions behind figures: an absolute number says nothing without them.
import { readFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform, totalmem } from 'node:os';

export function machineText(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? 'unknown processor';
  const load = loadavg()
    .map((value) => value.toFixed(2))
    .join(' ');
  return [
    `machine: ${processors.length} x ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${platform()} ${arch()}, load ${load}`,
    `versions: svcplane ${version('../package.json')}, node ${process.versions.node}, v8 ${process.versions.v8}, tinybench ${version('../node_modules/tinybench/package.json')}`,
    'One process a variant, rounds in turn; results compared before a figure counts. x wasm: median of the paired rounds, above 1 wasm is faster.',
  ].join('\n');
}

function version(path: string): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown';
}
