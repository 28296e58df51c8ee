// Where the WebAssembly engine spends its time, by source file of the core: sampled by V8's profiler, with the core built as always but for
// the names of its functions. What is inlined counts for the file that it was inlined into.
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { establishedWorkload } from './established.ts';
import { type NewMode, newWorkload } from './new-connections.ts';
import type { ProfileFigures, ProfileSetup } from './profile-child.ts';
import type { Workload } from './workload.ts';

export const PROFILE = 'profile';

/** Files with less than this share are told together. */
const SMALL_SHARE = 0.02;

export const OTHERS = 'others';

export interface Profile {
  readonly name: string;
  readonly size: number;
  /** Of the same process while no profiler looked. */
  readonly nsPerPacket: number;
  /** By file, from the largest share; `others` at last. */
  readonly shares: readonly (readonly [string, number])[];
}

type Profiled = readonly [name: string, size: number, workload: Workload];

const NEW_MODES: readonly NewMode[] = ['iptables random', 'nftables random', 'ipvs rr', 'ipvs mh'];

function profiledOf(isSmoke: boolean): Profiled[] {
  const size = isSmoke ? 1000 : 1_000_000;
  const news = isSmoke ? NEW_MODES.slice(0, 1) : NEW_MODES;
  return [
    ['established', size, establishedWorkload(size)],
    ['frames', size, { ...establishedWorkload(size), frames: 'transmit' }],
    ...news.map((mode): Profiled => [`new ${mode}`, size, newWorkload(mode, 65_536, size)]),
  ];
}

/** @throws Error when the core cannot be built */
export async function measureProfiles(isSmoke: boolean, progress: (name: string) => void): Promise<Profile[]> {
  const core = namedCore();
  const child = fileURLToPath(new URL('./profile-child.ts', import.meta.url));
  const profiles: Profile[] = [];
  for (const [name, size, workload] of profiledOf(isSmoke)) {
    progress(name);
    const setup: ProfileSetup = { core, workload, passCount: isSmoke ? 4 : 30 };
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--import', 'tsx', child, JSON.stringify(setup)]);
    const { nsPerPacket, microseconds }: ProfileFigures = JSON.parse(stdout);
    profiles.push({ name, size, nsPerPacket, shares: sharesOf(microseconds) });
  }
  return profiles;
}

/** The release core with names, in a folder that git ignores. */
function namedCore(): string {
  const root = fileURLToPath(new URL('../', import.meta.url));
  const folder = join(root, 'bench', 'native', 'build');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'named-core.wasm');
  const flags = ['--target', 'release', '--transform', './assembly/inline.mjs', '--debug', '--outFile', file];
  execFileSync(process.execPath, [join(root, 'node_modules', 'assemblyscript', 'bin', 'asc.js'), 'assembly/index.ts', ...flags], {
    cwd: root,
  });
  return file;
}

/** Names are `assembly/ipvs/timers/put`, or with types in angle brackets: all but the last part is the file. */
export function sharesOf(microseconds: Readonly<Record<string, number>>): [string, number][] {
  const byFile = new Map<string, number>();
  for (const [name, time] of Object.entries(microseconds)) {
    const path = name.replace(/<.*/, '').replace(/@.*/, '').split('/');
    const file = `${path.slice(1, -1).join('/')}.ts`;
    byFile.set(file, (byFile.get(file) ?? 0) + time);
  }
  const total = [...byFile.values()].reduce((sum, time) => sum + time, 0);
  const shares = [...byFile].map(([file, time]): [string, number] => [file, time / total]).toSorted(([, a], [, b]) => b - a);
  const large = shares.filter(([, share]) => share >= SMALL_SHARE);
  const rest = 1 - large.reduce((sum, [, share]) => sum + share, 0);
  return rest < 0.0005 ? large : [...large, [OTHERS, rest]];
}

export function profileLine({ name, size, nsPerPacket, shares }: Profile): string {
  const rounded = Object.fromEntries(shares.map(([file, share]) => [file, Number(share.toFixed(3))]));
  return JSON.stringify({
    bench: `${PROFILE}/${name.replaceAll(' ', '-')}`,
    variant: 'wasm',
    size,
    median: Number(nsPerPacket.toFixed(2)),
    unit: 'ns/packet, sampled',
    shares: rounded,
  });
}

export function profilesText(profiles: readonly Profile[]): string {
  const texts = profiles.map(({ name, size, nsPerPacket, shares }) => {
    const parts = shares.map(([file, share]) => `${file} ${(share * nsPerPacket).toFixed(1)}`).join(', ');
    return `${name}, ${size.toLocaleString('en-US')} stand: ${nsPerPacket.toFixed(1)} ns a packet; by file: ${parts}`;
  });
  return ['Profile: where does the core spend its time? (sampled; what is inlined counts for its caller)\n', ...texts, ''].join('\n');
}
