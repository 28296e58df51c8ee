// `svcplane dns query`: what the cluster's DNS answers to one question, as dig prints it.
import type { Command } from 'commander';
import { parseAddress } from '../address.ts';
import { reasonText } from '../dns/reason-text.ts';
import type { Resolution } from '../dns/resolution.ts';
import { reverseName } from '../dns/reverse.ts';
import { openClusterDns } from './dns-input.ts';
import { type DnsOptions, withDnsOptions } from './dns-options.ts';
import { type Io, note, writeJson } from './io.ts';
import { type InputOptions, type OutputFormat, withInputOptions, withOutputOption } from './options.ts';
import { recordLine } from './record-text.ts';

interface QueryOptions extends InputOptions, DnsOptions {
  readonly from?: string;
  readonly output: OutputFormat;
}

export function addDnsQuery(group: Command, io: Io, finish: (code: number) => void): void {
  const command = group
    .command('query')
    .description('ask one question, and print the records of the answer as dig does; exit code 1 when there are none')
    .argument('<name>', 'a name, complete unless --from is given; or an address, to find its name')
    .argument('[type]', 'A, AAAA, SRV, CNAME, PTR, TXT, SOA, NS … (default A, for an address PTR)');
  withOutputOption(withDnsOptions(withInputOptions(command)))
    .option('--from <pod>', '[namespace/]pod that asks: its search list completes the name')
    .addHelpText('after', '\nExample:\n  svcplane dns query -f examples/hostnames.yaml hostnames.default.svc.cluster.local')
    .action(async (name: string, type: string | undefined, options: QueryOptions) => finish(await query(name, type, options, io)));
}

async function query(asked: string, type: string | undefined, options: QueryOptions, io: Io): Promise<number> {
  const address = parseAddress(asked);
  const name = address === undefined ? asked : reverseName(address);
  const { dns, pod } = await openClusterDns(options, io);
  const found = await dns.resolve(name, type ?? (address === undefined ? 'A' : 'PTR'), pod === undefined ? {} : { pod });
  if (options.output === 'json') writeJson(io, 'DnsResolution', { ...found });
  else print(found, options, io);
  return found.outcome === 'ANSWER' ? 0 : 1;
}

function print({ name, outcome, answer, authority, reason, rcode }: Resolution, { from, clusterDomain }: QueryOptions, io: Io): void {
  if (outcome === 'ANSWER') {
    for (const record of answer) io.stdout(`${recordLine(record)}\n`);
    return;
  }
  const why = reason === undefined ? '' : `: ${reasonText(reason)}`;
  note(io, `${name} ${outcome === 'FAILURE' ? rcode : outcome}${why}`);
  if (outcome === 'OUTSIDE' && from === undefined)
    note(io, `names are taken as complete, as by dig: add .<namespace>.svc.${clusterDomain}, or ask from a Pod with --from`);
  for (const record of authority) io.stderr(`${recordLine(record)}\n`);
}
