// `svcplane validate`: everything an API server would refuse about the manifests, each with its place.
import type { Command } from 'commander';
import { validateObjects } from '../cluster/cluster.ts';
import { compareLocations, formatLocation, type ManifestError, type ObjectProblem } from '../errors.ts';
import { clusterOptions } from './cluster-input.ts';
import { readManifests } from './input.ts';
import { type Io, writeJson } from './io.ts';
import { type InputOptions, type OutputFormat, withInputOptions, withOutputOption } from './options.ts';

interface ValidateOptions extends InputOptions {
  readonly output: OutputFormat;
}

export function addValidate(program: Command, io: Io, finish: (code: number) => void): void {
  const command = program.command('validate').description('say everything that an API server would refuse, with file, line and column');
  withOutputOption(withInputOptions(command)).action((options: ValidateOptions) => finish(validate(options, io)));
}

function validate(options: ValidateOptions, io: Io): number {
  const { objects, errors } = readManifests(options, io);
  const problems = validateObjects(objects, clusterOptions(objects, options, io)).sort((a, b) => compareLocations(a.location, b.location));
  const isValid = errors.length + problems.length === 0;
  if (options.output === 'json') {
    writeJson(io, 'ValidationResult', { valid: isValid, objects: objects.length, problems: [...errors.map(manifestProblem), ...problems] });
  } else {
    for (const error of errors) io.stdout(`${error.message}\n`);
    for (const problem of problems) io.stdout(`${formatProblem(problem)}\n`);
    if (isValid) io.stdout(`${objects.length} ${objects.length === 1 ? 'object' : 'objects'} valid\n`);
    else io.stderr(`error: ${count(errors.length + problems.length, 'problem')} in ${count(objects.length, 'object')}\n`);
  }
  return isValid ? 0 : 3;
}

function manifestProblem(error: ManifestError): { message: string; location: ManifestError['location'] } {
  return { message: error.message, location: error.location };
}

function formatProblem({ kind, object, path, message, location }: ObjectProblem): string {
  const where = location === undefined ? '' : `${formatLocation(location)}: `;
  return `${where}${kind.toLowerCase()} ${object}: ${path} ${message}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
