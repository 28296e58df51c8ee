// `svcplane trace --rules`: one packet through a dump from a real node. No cluster: a dump knows addresses, not names.

import type { Dataplane, Explanation } from '../dataplane-types.ts';
import { RulesError } from '../errors.ts';
import { createDataplaneSync } from '../index.ts';
import type { Packet, TransportProtocol } from '../packet.ts';
import { readNumber } from '../parse/values.ts';
import { addressAndPort } from './address-port.ts';
import { SEED } from './cluster-input.ts';
import { explanationText } from './explanation-text.ts';
import { originOf, readText } from './input.ts';
import { InputError, type Io, paintFor, UsageError, writeJson } from './io.ts';
import type { NodeOptions, OutputFormat } from './options.ts';

const WITH_RULES = 'with --rules, ';
const DEFAULT_SOURCE_PORT = 40000;
const PROTOCOLS: readonly TransportProtocol[] = ['TCP', 'UDP', 'SCTP'];

export interface TraceRulesOptions extends NodeOptions {
  readonly rules: readonly string[];
  readonly lenient?: true;
  readonly nodeIp?: readonly string[];
  readonly inInterface?: string;
  readonly mark?: string;
  readonly from: string;
  readonly to: string;
  readonly protocol?: string;
  readonly verbose?: true;
  readonly output: OutputFormat;
}

export function traceRules(options: TraceRulesOptions, io: Io): void {
  const packet = packetOf(options);
  using dataplane = openDump(options, io);
  if (options.nodeIp === undefined)
    io.stderr('note: no --node-ip given: of this node only loopback is known, and no address to masquerade with\n');
  const explanation = dataplane.explain(packet);
  const { rulesEvaluated } = dataplane.trace(packet).verdict;
  if (options.output === 'json') {
    writeJson(io, 'Explanation', { rules: options.rules, engine: dataplane.engine, packet, rulesEvaluated, ...explanation });
    return;
  }
  const context = { packet, mode: dataplane.mode, node: `the node of ${options.rules.join(', ')}`, rulesEvaluated, servicePorts: [] };
  io.stdout(explanationText(explanation, { ...context, isVerbose: options.verbose === true, paint: paintFor(io), owner: () => undefined }));
  io.stdout(doubtText(explanation));
}

function openDump(options: TraceRulesOptions, io: Io): Dataplane {
  const dumps = options.rules.map((file) => ({ file: originOf(file), text: readText(file, io) }));
  // As iptables-save leaves a file that lacks the rights to ask.
  if (!dumps.some(({ text }) => /^\s*[^\s#]/m.test(text)))
    throw new InputError(`${dumps.map(({ file }) => file).join(', ')}: no tables found, expected what iptables-save prints`);
  try {
    return createDataplaneSync({
      rules: dumps.map(({ text }) => text).join('\n'),
      lenient: options.lenient === true,
      nodeIPs: options.nodeIp ?? [],
      seed: SEED,
      ...(options.mode === undefined ? {} : { mode: options.mode }),
      ...(options.engine === undefined ? {} : { engine: options.engine }),
      onWarning: (message) => io.stderr(`warning: ${withFile(message, dumps)}\n`),
    });
  } catch (error) {
    if (!(error instanceof RulesError)) throw error;
    throw new InputError(withFile(error.message, dumps));
  }
}

/** `rules line 12: …` of all files behind each other → `dump.txt:12: …`. */
function withFile(message: string, dumps: readonly { readonly file: string; readonly text: string }[]): string {
  return message.replace(/^rules line (\d+)/, (_whole, number: string) => {
    let line = Number(number);
    for (const { file, text } of dumps) {
      const count = text.split('\n').length;
      if (line <= count) return `${file}:${line}`;
      line -= count;
    }
    return `line ${number}`;
  });
}

/** The rules that might have decided otherwise on the node, each once. */
function doubtText({ outcomes }: Explanation): string {
  const doubted = outcomes.flatMap(({ path }) => path).flatMap((step) => (step.kind === 'rule' && step.uncertain ? [step.text] : []));
  if (doubted.length === 0) return '';
  const rules = [...new Set(doubted)].map((text) => `  ${text}\n`).join('');
  return `\nUncertain: these rules ask what the model does not know (words that are not modelled, interfaces), taken as said above:\n${rules}`;
}

function packetOf({ from, to, protocol = 'TCP', inInterface, mark }: TraceRulesOptions): Packet {
  const source = addressAndPort('--from', from, WITH_RULES);
  const destination = addressAndPort('--to', to, WITH_RULES);
  const named = PROTOCOLS.find((known) => known === protocol.toUpperCase());
  if (named === undefined) throw new UsageError(`--protocol ${protocol} is not one of ${PROTOCOLS.join(', ')}`);
  if (destination.port === undefined) throw new UsageError(`--to ${to}: ${WITH_RULES}expected IP:port`);
  return {
    protocol: named,
    source: source.address,
    sourcePort: source.port ?? DEFAULT_SOURCE_PORT,
    destination: destination.address,
    destinationPort: destination.port,
    ...(inInterface === undefined ? {} : { inInterface }),
    ...(mark === undefined ? {} : { mark: readMark(mark) }),
  };
}

function readMark(text: string): number {
  const mark = readNumber(text);
  if (mark === undefined) throw new UsageError(`--mark ${text} is not a number of 32 bits, such as 0x200`);
  return mark;
}
