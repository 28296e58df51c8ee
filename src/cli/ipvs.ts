// `svcplane ipvs`: what ipvsadm does with a table, without a kernel: restore checks it, save prints it, simulate sends connections to it.
import type { Command } from 'commander';
import type { Io } from './io.ts';
import { checkTable, saveTable } from './ipvs-check.ts';
import { addSimulate } from './ipvs-simulate.ts';
import { type TableOptions, withTableOptions } from './ipvs-table.ts';
import { type OutputFormat, withOutputOption } from './options.ts';

interface CheckOptions extends TableOptions {
  readonly output: OutputFormat;
}

export function addIpvs(program: Command, io: Io, finish: (code: number) => void): void {
  const ipvs = program
    .command('ipvs')
    .helpCommand(false)
    .description('IPVS tables as ipvsadm writes them: check them, print them, send connections to them');
  addSimulate(ipvs, io, finish);
  withTableOptions(ipvs.command('save').description('print a table, or that of a node, as `ipvsadm -Sn` does')).action(
    (table: string | undefined, options: TableOptions) => finish(saveTable(table, options, io)),
  );
  withOutputOption(
    withTableOptions(
      ipvs
        .command('restore')
        .description('check what `ipvsadm -R` would read: everything that is wrong with it, else what `ipvsadm -Ln` shows'),
    ),
  ).action((table: string | undefined, options: CheckOptions) => finish(checkTable(table, options, io)));
}
