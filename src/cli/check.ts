// `svcplane check`: why is there no traffic? What a person would have to hunt for, with place, reason and remedy.
import { type Command, Option } from 'commander';
import { checkManifests } from '../check/check.ts';
import type { Finding, Level } from '../check/finding.ts';
import { sarifLog } from '../check/sarif.ts';
import { counted } from '../check/words.ts';
import { formatLocation } from '../errors.ts';
import { clusterOptions } from './cluster-input.ts';
import { readObjects } from './input.ts';
import { type Io, note, type Paint, paintFor, writeJson } from './io.ts';
import { type InputOptions, withInputOptions } from './options.ts';
import { packageVersion } from './package-files.ts';

interface CheckOptions extends InputOptions {
  readonly output: 'text' | 'json' | 'sarif';
}

export function addCheck(program: Command, io: Io, finish: (code: number) => void): void {
  const command = program
    .command('check')
    .description(
      'find what keeps traffic away: selectors, ports, readiness, policies, hints, clashes; exit code 1 for errors and warnings',
    );
  withInputOptions(command)
    .addOption(new Option('-o, --output <format>', 'how findings are printed').choices(['text', 'json', 'sarif']).default('text'))
    .action((options: CheckOptions) => finish(check(options, io)));
}

function check(options: CheckOptions, io: Io): number {
  const objects = readObjects(options, io);
  const { findings, notes } = checkManifests(objects, clusterOptions(objects, options, io));
  for (const each of notes) note(io, each);
  if (options.output === 'json') writeJson(io, 'CheckResult', { objects: objects.length, findings, notes });
  else if (options.output === 'sarif') io.stdout(`${JSON.stringify(sarifLog(findings, packageVersion()), undefined, 2)}\n`);
  else printFindings(findings, objects.length, io);
  return findings.some(({ level }) => level !== 'note') ? 1 : 0;
}

function printFindings(findings: readonly Finding[], objectCount: number, io: Io): void {
  const paint = paintFor(io);
  for (const finding of findings) io.stdout(findingText(finding, paint));
  if (findings.length === 0) io.stdout(`${counted(objectCount, 'object')}: nothing found\n`);
  else io.stderr(`${summary(findings)} in ${counted(objectCount, 'object')}\n`);
}

/** Two lines: place, object and reason; then the remedy. */
export function findingText({ rule, level, kind, object, location, reason, remedy }: Finding, paint: Paint): string {
  const place = location === undefined ? '' : `${formatLocation(location)}: `;
  return `${place}${painted(level, paint)}: ${kind.toLowerCase()} ${object}: ${reason} ${paint.dim(`[${rule}]`)}\n    → ${remedy}\n`;
}

function painted(level: Level, paint: Paint): string {
  if (level === 'error') return paint.red(level);
  return level === 'warning' ? paint.yellow(level) : level;
}

function summary(findings: readonly Finding[]): string {
  const levels: readonly Level[] = ['error', 'warning', 'note'];
  return levels
    .map((level) => ({ level, count: findings.filter((finding) => finding.level === level).length }))
    .filter(({ count }) => count > 0)
    .map(({ level, count }) => counted(count, level))
    .join(', ');
}
