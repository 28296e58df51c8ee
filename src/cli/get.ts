// `svcplane get`: the objects of the cluster that the manifests make, printed as kubectl prints them.
import { type Command, Option } from 'commander';
import { stringify } from '#yaml';
import type { KubernetesObject } from '../api/types.ts';
import { openCluster } from './cluster-input.ts';
import { endpointsObjects } from './endpoints-view.ts';
import { readObjects } from './input.ts';
import { InputError, type Io, UsageError } from './io.ts';
import { COLUMNS } from './kubectl-columns.ts';
import { nearest } from './near-names.ts';
import { type InputOptions, withInputOptions } from './options.ts';
import { formatTable } from './table.ts';

type Resource = keyof typeof COLUMNS;

const RESOURCES: readonly { readonly kind: Resource; readonly names: readonly string[] }[] = [
  { kind: 'Service', names: ['services', 'service', 'svc'] },
  { kind: 'Endpoints', names: ['endpoints', 'ep'] },
  { kind: 'EndpointSlice', names: ['endpointslices', 'endpointslice'] },
  { kind: 'Pod', names: ['pods', 'pod', 'po'] },
  { kind: 'Node', names: ['nodes', 'node', 'no'] },
];

interface GetOptions extends InputOptions {
  readonly allNamespaces?: true;
  readonly output?: 'wide' | 'json' | 'yaml' | 'name' | 'text';
}

export function addGet(program: Command, io: Io): void {
  const command = program
    .command('get')
    .description('list services, endpoints, endpointslices, pods or nodes, as kubectl prints them')
    .argument('<resource>', 'services (svc), endpoints (ep), endpointslices, pods (po), nodes (no)')
    .argument('[name...]', 'only these');
  withInputOptions(command)
    .option('-A, --all-namespaces', 'of all namespaces')
    .addOption(new Option('-o, --output <format>', 'how objects are printed').choices(['text', 'wide', 'json', 'yaml', 'name']))
    .action((resource: string, names: string[], options: GetOptions) => get(resource, names, options, io));
}

function get(resource: string, names: readonly string[], options: GetOptions, io: Io): void {
  const found = RESOURCES.find((each) => each.names.includes(resource.toLowerCase()));
  if (found === undefined) {
    throw new UsageError(`resource ${resource} is unknown, expected ${RESOURCES.map((each) => each.names[0]).join(', ')}`);
  }
  const { kind } = found;
  const namespace = kind === 'Node' || options.allNamespaces ? undefined : (options.namespace ?? 'default');
  const cluster = openCluster(readObjects(options, io), options, io);
  const all = (kind === 'Endpoints' ? endpointsObjects(cluster) : cluster.objects(kind)).filter(
    (object) => namespace === undefined || object.metadata.namespace === namespace,
  );
  for (const name of names) {
    if (all.some((object) => object.metadata.name === name)) continue;
    throw new InputError(
      `${resource} ${name} does not exist${nearest(
        name,
        all.map((object) => object.metadata.name),
      )}`,
    );
  }
  const objects = names.length === 0 ? all : all.filter((object) => names.includes(object.metadata.name));
  print(objects, kind, names.length === 1, options, io);
}

function print(objects: readonly KubernetesObject[], kind: Resource, isSingle: boolean, options: GetOptions, io: Io): void {
  const [first] = objects;
  const whole =
    isSingle && first !== undefined ? first : { apiVersion: 'v1', kind: 'List', items: objects, metadata: { resourceVersion: '' } };
  switch (options.output) {
    case 'json':
      io.stdout(`${JSON.stringify(whole, undefined, 4)}\n`);
      return;
    case 'yaml':
      io.stdout(stringify(whole, { aliasDuplicateObjects: false }));
      return;
    case 'name':
      for (const object of objects) io.stdout(`${nameOf(kind)}/${object.metadata.name}\n`);
      return;
    default:
      if (objects.length > 0)
        io.stdout(
          formatObjects(objects, kind, { isWide: options.output === 'wide', allNamespaces: options.allNamespaces === true }, io.now()),
        );
      else
        io.stderr(
          kind === 'Node' || options.allNamespaces
            ? 'No resources found\n'
            : `No resources found in ${options.namespace ?? 'default'} namespace.\n`,
        );
  }
}

/** The table of `kubectl get`. */
export function formatObjects(
  objects: readonly KubernetesObject[],
  kind: Resource,
  format: { readonly isWide?: boolean; readonly allNamespaces?: boolean },
  nowMs: number,
): string {
  const columns = COLUMNS[kind];
  const isNamespaced = kind !== 'Node' && format.allNamespaces === true;
  const header = [...(isNamespaced ? ['NAMESPACE'] : []), ...columns.header, ...(format.isWide ? columns.wideHeader : [])];
  const rows = objects.map((object) => [
    ...(isNamespaced ? [object.metadata.namespace ?? ''] : []),
    ...columns.row(object, nowMs),
    ...(format.isWide ? columns.wideRow(object) : []),
  ]);
  return formatTable(header, rows);
}

function nameOf(kind: Resource): string {
  return kind === 'EndpointSlice' ? 'endpointslice.discovery.k8s.io' : kind.toLowerCase();
}
