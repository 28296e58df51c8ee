// `svcplane dns`: the verbs around cluster DNS.
import type { Command } from 'commander';
import { addDnsExplain } from './dns-explain.ts';
import { addDnsQuery } from './dns-query.ts';
import { addDnsServe } from './dns-serve.ts';
import type { Io } from './io.ts';

export function addDns(program: Command, io: Io, finish: (code: number) => void): void {
  const group = program.command('dns').description('the names of the cluster: serve them, ask for one, or explain what a Pod asks');
  for (const add of [addDnsServe, addDnsQuery, addDnsExplain]) add(group, io, finish);
}
