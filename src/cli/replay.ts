// `svcplane replay` and `svcplane conntrack`: a capture through a node's dataplane, and what is tracked after it.
import { writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Connection } from '../dataplane-types.ts';
import { readCapture, writeCapture } from '../frames/capture.ts';
import type { CapturedFrame } from '../frames/captured-frame.ts';
import { type Replayed, replay } from '../frames/replay.ts';
import { findNode, openCluster, openDataplane, SEED } from './cluster-input.ts';
import { conntrackLine } from './conntrack-text.ts';
import { originOf, readCaptureFile, readObjects, unreadable } from './input.ts';
import { type Io, UsageError, writeJson } from './io.ts';
import { collect, type InputOptions, type NodeOptions, withInputOptions, withNodeOptions, withOutputOption } from './options.ts';
import { replayText } from './replay-text.ts';

interface CaptureOptions extends InputOptions, NodeOptions {
  readonly fragments?: 'drop' | 'pass';
  readonly seed: number;
}

interface ReplayOptions extends CaptureOptions {
  readonly output?: readonly string[];
  readonly write?: string;
  readonly conntrack?: true;
}

export function addReplay(program: Command, io: Io): void {
  const command = program
    .command('replay')
    .description('send a capture through a node: what leaves, and what happened for each Service')
    .argument('<capture>', 'pcap or pcapng file, or - for standard input');
  withCaptureOptions(command)
    .option(
      '-w, --write <file>',
      'the capture of what leaves: a .pcap or .pcapng file; - is a pcap on standard output, and the summary goes to standard error',
    )
    .option(
      '-o, --output <format>',
      'how the summary is printed, text or json; - and names that end in .pcap or .pcapng are a --write',
      collect,
    )
    .option('--conntrack', 'print the connections that are tracked at the end, as conntrack -L does')
    .addHelpText(
      'after',
      `
Examples:
  svcplane replay in.pcap -f cluster.yaml -o out.pcap
  tcpdump -i eth0 -w - | svcplane replay - -f cluster.yaml
  svcplane replay in.pcap -f cluster.yaml -w - | tshark -r -`,
    )
    .action((capture: string, options: ReplayOptions) => runReplay(capture, options, io));
}

export function addConntrack(program: Command, io: Io): void {
  const command = program
    .command('conntrack')
    .description('send a capture through a node and print the connections that are tracked at its end, as conntrack -L does')
    .argument('<capture>', 'pcap or pcapng file, or - for standard input');
  withOutputOption(withCaptureOptions(command)).action(
    (capture: string, options: CaptureOptions & { readonly output: 'text' | 'json' }) => {
      const { connections } = replayFile(capture, options, io);
      if (options.output === 'json') writeJson(io, 'ConnectionList', { items: connections });
      else printConnections(connections, io);
    },
  );
}

function withCaptureOptions(command: Command): Command {
  return withNodeOptions(withInputOptions(command))
    .addOption(new Option('--fragments <what>', 'IP fragments, which are not reassembled').choices(['drop', 'pass']).default('drop'))
    .option('--seed <number>', 'of the random choice of backends', parseSeed, SEED);
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || seed > 0xffffffff) throw new InvalidArgumentError('expected a number of 32 bits.');
  return seed;
}

function runReplay(capture: string, options: ReplayOptions, io: Io): void {
  const { format, file } = settleOutput(options);
  const { replayed, connections } = replayFile(capture, options, io);
  if (file !== undefined) writeFrames(file, replayed.frames, io);
  // What describes a capture must not get into it.
  const summaryIo = file === '-' ? { ...io, stdout: io.stderr } : io;
  if (format === 'json') {
    const written = file === undefined ? {} : { written: { file, frames: replayed.frames.length } };
    writeJson(summaryIo, 'Replay', { capture, ...replayed.summary, ...written, ...(options.conntrack ? { items: connections } : {}) });
    return;
  }
  summaryIo.stdout(replayText(replayed.summary, file));
  if (options.conntrack) {
    summaryIo.stdout('\n');
    printConnections(connections, summaryIo);
  }
}

/** `-o` takes the form of the summary, and the file to write as well. */
function settleOutput({ output = [], write }: ReplayOptions): { readonly format: 'text' | 'json'; readonly file: string | undefined } {
  let format: 'text' | 'json' = 'text';
  let file = write;
  for (const value of output) {
    if (value === 'text' || value === 'json') format = value;
    else if (value === '-' || /\.pcap(ng)?$/.test(value)) file = value;
    else throw new UsageError(`-o ${value} is none of text, json, -, or a name that ends in .pcap or .pcapng`);
  }
  return { format, file };
}

function replayFile(
  capture: string,
  options: CaptureOptions,
  io: Io,
): { readonly replayed: Replayed; readonly connections: readonly Connection[] } {
  const cluster = openCluster(readObjects(options, io), options, io);
  const clock = { ms: 0 };
  using connected = openDataplane(cluster, findNode(cluster, options.node), options, io, {
    now: () => clock.ms,
    seed: options.seed,
  });
  const { dataplane } = connected;
  const captured = readCapture(readCaptureFile(capture, io), {
    origin: originOf(capture),
    onWarning: (message) => io.stderr(`warning: ${message}\n`),
  });
  const replayed = replay(dataplane, captured, {
    setTime: (ms) => {
      clock.ms = ms;
    },
    ...(options.fragments === undefined ? {} : { fragments: options.fragments }),
  });
  return { replayed, connections: [...dataplane.connections()] };
}

function writeFrames(path: string, frames: readonly CapturedFrame[], io: Io): void {
  const bytes = writeCapture(frames, path.endsWith('.pcapng') ? 'pcapng' : 'pcap');
  try {
    if (path === '-') io.stdout(bytes);
    else writeFileSync(path, bytes);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function printConnections(connections: readonly Connection[], io: Io): void {
  for (const connection of connections) io.stdout(`${conntrackLine(connection)}\n`);
  io.stderr(`${connections.length} flow entries have been shown.\n`);
}
