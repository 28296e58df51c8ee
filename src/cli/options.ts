// The options that several verbs share, spelled as kubectl spells them.
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ProxyMode } from '../packet.ts';

/** What a verb reads: manifests, and the cluster that is made of them. */
export interface InputOptions {
  readonly filename?: readonly string[];
  readonly recursive?: true;
  readonly namespace?: string;
  readonly podCidr?: readonly string[];
  readonly serviceCidr?: readonly string[];
}

/** Which node's dataplane a verb looks at, and how it is configured. */
export interface NodeOptions {
  readonly node?: string;
  readonly mode?: ProxyMode;
  readonly engine?: 'auto' | 'wasm' | 'js';
  readonly config?: string;
}

export type OutputFormat = 'text' | 'json';

export function withInputOptions(command: Command): Command {
  return command
    .option('-f, --filename <file>', 'manifest file, directory, or - for standard input; may be repeated', collect)
    .option('-R, --recursive', 'look into the directories below, too')
    .option('-n, --namespace <name>', 'the namespace of what names none (default "default")')
    .option('--pod-cidr <cidr>', "the cluster's Pod addresses, one CIDR a family (default 10.244.0.0/16)", collect)
    .option('--service-cidr <cidr>', "the cluster's Service addresses, one CIDR a family (default 10.96.0.0/12)", collect);
}

export function withNodeOptions(command: Command): Command {
  return command
    .option('--node <name>', 'the Node whose dataplane is meant (default: where the packet starts, else the first)')
    .addOption(new Option('--mode <mode>', 'proxy mode (default: of --config, else iptables)').choices(['iptables', 'ipvs', 'nftables']))
    .addOption(new Option('--engine <engine>', 'what runs the rules').choices(['auto', 'wasm', 'js']))
    .option('--config <file>', 'a KubeProxyConfiguration');
}

export function withOutputOption(command: Command): Command {
  return command.addOption(new Option('-o, --output <format>', 'how results are printed').choices(['text', 'json']).default('text'));
}

export function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value];
}

/** For commander: a positive number, fractions allowed. */
export function parsePositive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('expected a positive number.');
  return value;
}
