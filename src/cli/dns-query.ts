// `svcplane dns query`: what the cluster's DNS answers to one question, as dig prints it.
import { parseAddress } from '../address.ts';
import { reasonText } from '../dns/reason-text.ts';
import type { Resolution } from '../dns/resolution.ts';
import { reverseName } from '../dns/reverse.ts';
import { openClusterDns } from './dns-input.ts';
import type { DnsOptions } from './dns-options.ts';
import { type Io, note, writeJson } from './io.ts';
import type { InputOptions, OutputFormat } from './options.ts';
import { recordLine } from './record-text.ts';

export interface QueryOptions extends InputOptions, DnsOptions {
  readonly from?: string;
  readonly output: OutputFormat;
}

export async function query(asked: string, type: string | undefined, options: QueryOptions, io: Io): Promise<number> {
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
