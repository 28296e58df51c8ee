// `svcplane dns`: the verbs around cluster DNS.
import type { Command } from 'commander';
import { addDnsServe } from './dns-serve.ts';
import type { Io } from './io.ts';

export function addDns(program: Command, io: Io): void {
  const group = program.command('dns').description('the names of the cluster: serve them over UDP and TCP');
  for (const add of [addDnsServe]) add(group, io);
}
