// `svcplane render`: what kube-proxy would program on a node, as its tools read it.
import { type Command, Option } from 'commander';
import type { Rendered } from '../dataplane-types.ts';
import { findNode, openCluster, openDataplane } from './cluster-input.ts';
import { readObjects } from './input.ts';
import { type Io, writeJson } from './io.ts';
import { type InputOptions, type NodeOptions, type OutputFormat, withInputOptions, withNodeOptions, withOutputOption } from './options.ts';

const TOOLS: readonly Rendered['tool'][] = ['iptables-restore', 'ip6tables-restore', 'ipset', 'ipvsadm', 'nft', 'ip', 'sysctl'];

interface RenderOptions extends InputOptions, NodeOptions {
  readonly tool?: Rendered['tool'];
  readonly output: OutputFormat;
}

export function addRender(program: Command, io: Io): void {
  const command = program.command('render').description("print a node's rules as iptables-restore, ipset, ipvsadm or nft read them");
  withOutputOption(withNodeOptions(withInputOptions(command)))
    .addOption(new Option('--tool <tool>', 'only the input of this tool, and nothing around it').choices(TOOLS))
    .action((options: RenderOptions) => render(options, io));
}

function render(options: RenderOptions, io: Io): void {
  const cluster = openCluster(readObjects(options, io), options, io);
  using connected = openDataplane(cluster, findNode(cluster, options.node), options, io);
  const { dataplane } = connected;
  const parts = dataplane.render().filter((part) => options.tool === undefined || part.tool === options.tool);
  if (options.output === 'json') writeJson(io, 'Rendered', { mode: dataplane.mode, items: parts });
  else
    io.stdout(
      parts
        .map((part) => (options.tool === undefined ? `# ${titleOf(part)}\n` : '') + part.text)
        .join(options.tool === undefined ? '\n' : ''),
    );
}

function titleOf({ tool, family }: Rendered): string {
  return family === undefined || tool.includes('tables') ? tool : `${tool} (${family})`;
}
