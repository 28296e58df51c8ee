// The command line from arguments to exit code, without touching the process: main.ts calls it, tests call it.
import { Command, CommanderError } from 'commander';
import { InvalidArgumentError, SvcplaneError, UnsupportedError } from '../errors.ts';
import { addCheck } from './check.ts';
import { addDemo } from './demo.ts';
import { addDiff } from './diff.ts';
import { addDns } from './dns.ts';
import { addGet } from './get.ts';
import { InputError, type Io, UsageError } from './io.ts';
import { addIpvs } from './ipvs.ts';
import { packageVersion } from './package-files.ts';
import { addRender } from './render.ts';
import { addConntrack, addReplay } from './replay.ts';
import { addTest } from './test.ts';
import { addTrace } from './trace.ts';
import { addValidate } from './validate.ts';

/** As `kubectl diff` has them; 70 is sysexits' EX_SOFTWARE, for what can only be a bug here. */
export const EXIT = { fine: 0, differences: 1, usage: 2, badInput: 3, bug: 70 } as const;

/** The whole tree of commands. `finish` hears the exit code of a verb that has one to tell. */
export function commandTree(io: Io, finish: (code: number) => void): Command {
  const program = new Command('svcplane')
    .description('What a Kubernetes node does with a packet: Services and packets in, backend out. No cluster, no root.')
    .version(packageVersion(), '--version')
    .helpCommand(false)
    .configureOutput({ writeOut: (text) => io.stdout(text), writeErr: (text) => io.stderr(text) })
    .exitOverride();
  for (const add of [
    addTrace,
    addDiff,
    addTest,
    addGet,
    addRender,
    addReplay,
    addConntrack,
    addIpvs,
    addValidate,
    addCheck,
    addDns,
    addDemo,
  ]) {
    add(program, io, finish);
  }
  for (const command of allCommands(program)) command.copyInheritedSettings(program);
  return program;
}

/** Runs one command line, without the program's name, and says with which code to exit. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.fine;
  const program = commandTree(io, (finished) => (code = finished));
  try {
    if (argv.length === 0) {
      program.outputHelp({ error: true });
      return EXIT.usage;
    }
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    return report(error, io);
  }
}

function allCommands(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...allCommands(child)]);
}

/** One clear line, and the exit code that goes with it. Commander has printed its own already. */
function report(error: unknown, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.usage;
  const message = error instanceof Error ? error.message : String(error);
  const isUsage = error instanceof UsageError || error instanceof UnsupportedError || error instanceof InvalidArgumentError;
  if (isUsage || error instanceof InputError || error instanceof SvcplaneError) {
    io.stderr(`error: ${message}\n`);
    return isUsage ? EXIT.usage : EXIT.badInput;
  }
  io.stderr(`error: ${message} (this is a bug in svcplane)\n`);
  if (io.env.SVCPLANE_DEBUG && error instanceof Error) io.stderr(`${error.stack ?? ''}\n`);
  return EXIT.bug;
}
