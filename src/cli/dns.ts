// `svcplane dns`: the verbs around cluster DNS and their options. What they do is loaded when one is called.
import type { Command } from 'commander';
import type { ExplainOptions } from './dns-explain.ts';
import { withDnsOptions } from './dns-options.ts';
import type { QueryOptions } from './dns-query.ts';
import type { ServeOptions } from './dns-serve.ts';
import type { Io } from './io.ts';
import { collect, withInputOptions, withOutputOption } from './options.ts';

const DEFAULT_LISTEN = '127.0.0.1:5353';

const verbs = () => import('./dns-verbs.ts');

export function addDns(program: Command, io: Io, finish: (code: number) => void): void {
  const group = program.command('dns').description('the names of the cluster: serve them, ask for one, or explain what a Pod asks');
  for (const add of [addServe, addQuery, addExplain]) add(group, io, finish);
}

function addServe(group: Command, io: Io): void {
  const command = group.command('serve').description('answer queries about the cluster over UDP and TCP, until it is stopped (Ctrl-C)');
  withDnsOptions(withInputOptions(command))
    .option('--listen <address>', 'address and port to answer at; port 0 takes any free one', DEFAULT_LISTEN)
    .option('--upstream <address>', 'ask this resolver (port 53 by default) about all other names')
    .option('--transfer', 'give whole zones to whoever asks for AXFR over TCP')
    .option('--watch', 'follow the files: what changes in them changes the answers')
    .addHelpText(
      'after',
      '\nExample:\n  svcplane dns serve -f examples/hostnames.yaml --watch\n  dig @127.0.0.1 -p 5353 hostnames.default.svc.cluster.local',
    )
    .action(async (options: ServeOptions) => (await verbs()).serve(options, io));
}

function addQuery(group: Command, io: Io, finish: (code: number) => void): void {
  const command = group
    .command('query')
    .description('ask one question, and print the records of the answer as dig does; exit code 1 when there are none')
    .argument('<name>', 'a name, complete unless --from is given; or an address, to find its name')
    .argument('[type]', 'A, AAAA, SRV, CNAME, PTR, TXT, SOA, NS … (default A, for an address PTR)');
  withOutputOption(withDnsOptions(withInputOptions(command)))
    .option('--from <pod>', '[namespace/]pod that asks: its search list completes the name')
    .addHelpText('after', '\nExample:\n  svcplane dns query -f examples/hostnames.yaml hostnames.default.svc.cluster.local')
    .action(async (name: string, type: string | undefined, options: QueryOptions) =>
      finish(await (await verbs()).query(name, type, options, io)),
    );
}

function addExplain(group: Command, io: Io): void {
  const command = group
    .command('explain')
    .description("show what a Pod's resolver makes of a name: search list, ndots, each query and what it meets")
    .argument('<name>', 'as the program in the Pod writes it')
    .requiredOption('--from <pod>', '[namespace/]pod that asks; default/client may be a stand-in')
    .option('--type <type>', 'a record type; may be repeated (default: A and AAAA, as programs ask)', collect);
  withOutputOption(withDnsOptions(withInputOptions(command)))
    .addHelpText('after', '\nExample:\n  svcplane dns explain -f examples/hostnames.yaml hostnames --from default/client')
    .action(async (name: string, options: ExplainOptions) => (await verbs()).explain(name, options, io));
}
