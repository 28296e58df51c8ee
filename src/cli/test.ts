// `svcplane test`: assertions about routing, for CI: a file of cases against manifests, without a cluster.
import { type Command, Option } from 'commander';
import { settleConfig } from '../api/settings.ts';
import type { KubernetesObject } from '../api/types.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Dataplane } from '../dataplane-types.ts';
import type { ManifestError } from '../errors.ts';
import type { ProxyMode } from '../packet.ts';
import { openCluster, openDataplane } from './cluster-input.ts';
import { originOf, readObjects, readProxyConfig, readText } from './input.ts';
import { InputError, type Io, paintFor, writeJson } from './io.ts';
import { type InputOptions, type NodeOptions, withInputOptions, withNodeOptions } from './options.ts';
import { parseRoutingCases, type RoutingCase } from './routing-cases.ts';
import { junitReport, type ReportContext, tapReport, textReport } from './routing-report.ts';
import { type Assertion, RoutingRun } from './routing-run.ts';
import { wayText } from './way-text.ts';

interface TestOptions extends InputOptions, NodeOptions {
  readonly output: 'text' | 'json' | 'tap' | 'junit';
}

export function addTest(program: Command, io: Io, finish: (code: number) => void): void {
  const command = program
    .command('test')
    .description('hold what must be true of the routing against the manifests, without a cluster')
    .argument('<cases...>', 'files of cases (apiVersion: svcplane/v1, kind: RoutingTest), or - for standard input');
  withNodeOptions(withInputOptions(command))
    .addOption(new Option('-o, --output <format>', 'how results are printed').choices(['text', 'json', 'tap', 'junit']).default('text'))
    .addHelpText(
      'after',
      `
Exit code 1: an assertion failed.

Example:
  svcplane test examples/routing.yaml -f examples/hostnames.yaml`,
    )
    .action((files: string[], options: TestOptions) => finish(test(files, options, io)));
}

function test(files: readonly string[], options: TestOptions, io: Io): number {
  const usual = options.mode ?? settleConfig({ config: readProxyConfig(options.config) }).mode;
  const read = files.map((file) => ({ file, ...parseRoutingCases(readText(file, io), originOf(file), { mode: usual }) }));
  const problems = read.flatMap((each) => each.problems);
  if (problems.length > 0) return refuse(problems, io);
  const cases = read.flatMap((each) => each.cases);
  if (cases.length === 0) throw new InputError(`${files.join(', ')}: no cases`);
  using planes = new Dataplanes(options, io);
  const run = new RoutingRun({ ...planes, namespace: options.namespace ?? 'default', node: options.node });
  const assertions = runAll(cases, run, io);
  if (assertions === undefined) return 3;
  const paint = paintFor(io);
  const wayOf = ({ outcomes, packet, node, mode }: Assertion) => {
    if (outcomes.length === 0) return '';
    const rulesEvaluated = planes.opened(node, mode)?.trace(packet).verdict.rulesEvaluated ?? 0;
    return wayText(outcomes, rulesEvaluated, { isVerbose: false, paint });
  };
  print(assertions, files.join(' '), options.output, { paint, wayOf }, io);
  return assertions.every(({ failures }) => failures.length === 0) ? 0 : 1;
}

/** Undefined: some cases cannot be run, and each was told of. */
function runAll(cases: readonly RoutingCase[], run: RoutingRun, io: Io): Assertion[] | undefined {
  const errors: InputError[] = [];
  const assertions = cases.flatMap((each) => {
    try {
      return run.run(each);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      errors.push(error);
      return [];
    }
  });
  if (errors.length === 0) return assertions;
  refuse(errors, io);
  return undefined;
}

function refuse(problems: readonly (ManifestError | InputError)[], io: Io): number {
  for (const { message } of problems) io.stderr(`error: ${message}\n`);
  return 3;
}

function print(assertions: readonly Assertion[], suite: string, output: TestOptions['output'], context: ReportContext, io: Io): void {
  switch (output) {
    case 'text':
      io.stdout(textReport(assertions, context));
      return;
    case 'tap':
      io.stdout(tapReport(assertions, context));
      return;
    case 'junit':
      io.stdout(junitReport(assertions, suite, context));
      return;
    case 'json': {
      const failed = assertions.filter(({ failures }) => failures.length > 0).length;
      const items = assertions.map(({ outcomes, ...assertion }) => ({
        ...assertion,
        passed: assertion.failures.length === 0,
        outcomes: assertion.failures.length === 0 ? outcomes.map(({ path, ...outcome }) => outcome) : outcomes,
      }));
      writeJson(io, 'RoutingTestResult', { assertions: assertions.length, passed: assertions.length - failed, failed, items });
    }
  }
}

/** The cluster of the manifests, and the dataplanes of its nodes, each opened when it is asked for. */
class Dataplanes implements Disposable {
  readonly cluster: Cluster;
  readonly #opened = new Map<string, ReturnType<typeof openDataplane>>();
  /** A property, so that it can be handed on. */
  readonly dataplane: (node: KubernetesObject, mode: ProxyMode) => Dataplane;

  constructor(options: TestOptions, io: Io) {
    const objects = readObjects(options, io);
    this.cluster = openCluster(objects, options, io);
    this.dataplane = (node, mode) => {
      const key = `${mode} ${node.metadata.name}`;
      const known = this.#opened.get(key) ?? openDataplane(this.cluster, node, options, io, { mode });
      this.#opened.set(key, known);
      return known.dataplane;
    };
  }

  opened(node: string, mode: ProxyMode): Dataplane | undefined {
    return this.#opened.get(`${mode} ${node}`)?.dataplane;
  }

  [Symbol.dispose](): void {
    for (const each of this.#opened.values()) each[Symbol.dispose]();
  }
}
