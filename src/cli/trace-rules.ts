// `svcplane trace --rules`: one packet through a dump from a real node. No cluster: a dump knows addresses, not names.
import { parseAddress } from '../address.ts';
import { createDataplaneSync } from '../dataplane.ts';
import type { Packet, TransportProtocol } from '../packet.ts';
import { explanationText } from './explanation-text.ts';
import { readText } from './input.ts';
import { type Io, paintFor, UsageError, writeJson } from './io.ts';
import type { NodeOptions, OutputFormat } from './options.ts';

const DEFAULT_SOURCE_PORT = 40000;
const PROTOCOLS: readonly TransportProtocol[] = ['TCP', 'UDP', 'SCTP'];

export interface TraceRulesOptions extends NodeOptions {
  readonly rules: readonly string[];
  readonly lenient?: true;
  readonly nodeIp?: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly protocol?: string;
  readonly verbose?: true;
  readonly output: OutputFormat;
}

export function traceRules(options: TraceRulesOptions, io: Io): void {
  const packet = packetOf(options);
  using dataplane = createDataplaneSync({
    rules: options.rules.map((file) => (file === '-' ? io.stdin() : readText(file))).join('\n'),
    lenient: options.lenient === true,
    nodeIPs: options.nodeIp ?? [],
    ...(options.mode === undefined ? {} : { mode: options.mode }),
    ...(options.engine === undefined ? {} : { engine: options.engine }),
    onWarning: (message) => io.stderr(`warning: ${message}\n`),
  });
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
  if (explanation.outcomes.some(({ uncertain }) => uncertain))
    io.stdout('\nUncertain: a rule on the way has words that are not modelled.\n');
}

function packetOf({ from, to, protocol = 'TCP' }: TraceRulesOptions): Packet {
  const source = addressAndPort('--from', from);
  const destination = addressAndPort('--to', to);
  const named = PROTOCOLS.find((known) => known === protocol.toUpperCase());
  if (named === undefined) throw new UsageError(`--protocol ${protocol} is not one of ${PROTOCOLS.join(', ')}`);
  if (destination.port === undefined) throw new UsageError(`--to ${to}: with --rules, expected IP:port`);
  return {
    protocol: named,
    source: source.address,
    sourcePort: source.port ?? DEFAULT_SOURCE_PORT,
    destination: destination.address,
    destinationPort: destination.port,
  };
}

/** `10.0.0.1`, `10.0.0.1:80`, `fd00::1`, `[fd00::1]:80`. */
function addressAndPort(option: string, text: string): { readonly address: string; readonly port?: number } {
  const whole = parseAddress(text);
  if (whole !== undefined) return { address: whole.text };
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text) ?? [];
  const address = parseAddress(bracketed ?? plain ?? '');
  if (address === undefined) throw new UsageError(`${option} ${text}: with --rules, expected an IP address, with a port behind it or not`);
  return { address: address.text, port: Number(port) };
}
