// `svcplane get`: the objects of the cluster that the manifests make, printed as kubectl prints them.
import { type Command, Option } from 'commander';
import { stringify } from '#yaml';
import type { KubernetesObject } from '../api/types.ts';
import type { Cluster } from '../cluster/cluster.ts';
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
    .argument('<resource>', 'services (svc), endpoints (ep), endpointslices, pods (po), nodes (no); several with commas between')
    .argument('[name...]', 'only these');
  withInputOptions(command)
    .option('-A, --all-namespaces', 'of all namespaces')
    .addOption(new Option('-o, --output <format>', 'how objects are printed').choices(['text', 'wide', 'json', 'yaml', 'name']))
    .action((resource: string, names: string[], options: GetOptions) => get(resource, names, options, io));
}

interface Listed {
  readonly kind: Resource;
  readonly objects: readonly KubernetesObject[];
}

function get(resources: string, names: readonly string[], options: GetOptions, io: Io): void {
  const words = new Map(resources.split(',').map((resource) => [kindOf(resource), resource]));
  const cluster = openCluster(readObjects(options, io), options, io);
  const listed = [...words].map(([kind, word]) => ({ kind, objects: list(kind, word, names, options, cluster) }));
  print(listed, names.length === 1, options, io);
}

function kindOf(resource: string): Resource {
  const found = RESOURCES.find((each) => each.names.includes(resource.toLowerCase()));
  if (found !== undefined) return found.kind;
  throw new UsageError(`resource ${resource || '""'} is unknown, expected ${RESOURCES.map((each) => each.names[0]).join(', ')}`);
}

/** The objects of a kind that are asked for; `word` is what the user calls it. */
function list(kind: Resource, word: string, names: readonly string[], options: GetOptions, cluster: Cluster): readonly KubernetesObject[] {
  const namespace = kind === 'Node' || options.allNamespaces ? undefined : (options.namespace ?? 'default');
  const all = (kind === 'Endpoints' ? endpointsObjects(cluster) : cluster.objects(kind)).filter(
    (object) => namespace === undefined || object.metadata.namespace === namespace,
  );
  const present = all.map((object) => object.metadata.name);
  const missing = names.find((name) => !present.includes(name));
  if (missing !== undefined) throw new InputError(`${word} ${missing} does not exist${nearest(missing, present)}`);
  return names.length === 0 ? all : all.filter((object) => names.includes(object.metadata.name));
}

function print(listed: readonly Listed[], isNamed: boolean, options: GetOptions, io: Io): void {
  const items = listed.flatMap(({ objects }) => objects);
  const [first] = items;
  const isSingle = isNamed && items.length === 1;
  const whole = isSingle && first !== undefined ? first : { apiVersion: 'v1', kind: 'List', items, metadata: { resourceVersion: '' } };
  switch (options.output) {
    case 'json':
      io.stdout(`${JSON.stringify(whole, undefined, 4)}\n`);
      return;
    case 'yaml':
      io.stdout(stringify(whole, { aliasDuplicateObjects: false }));
      return;
    case 'name':
      for (const { kind, objects } of listed) for (const object of objects) io.stdout(`${nameOf(kind)}/${object.metadata.name}\n`);
      return;
    default:
      if (items.length > 0) io.stdout(tables(listed, options, io.now()));
      else
        io.stderr(
          options.allNamespaces || listed.every(({ kind }) => kind === 'Node')
            ? 'No resources found\n'
            : `No resources found in ${options.namespace ?? 'default'} namespace.\n`,
        );
  }
}

/** A table for each kind that has objects; where several are asked for, names say of which kind they are. */
function tables(listed: readonly Listed[], options: GetOptions, nowMs: number): string {
  const format = { isWide: options.output === 'wide', allNamespaces: options.allNamespaces === true, hasKinds: listed.length > 1 };
  return listed
    .filter(({ objects }) => objects.length > 0)
    .map(({ kind, objects }) => formatObjects(objects, kind, format, nowMs))
    .join('\n');
}

/** The table of `kubectl get`. */
export function formatObjects(
  objects: readonly KubernetesObject[],
  kind: Resource,
  format: { readonly isWide?: boolean; readonly allNamespaces?: boolean; readonly hasKinds?: boolean },
  nowMs: number,
): string {
  const columns = COLUMNS[kind];
  const isNamespaced = kind !== 'Node' && format.allNamespaces === true;
  const header = [...(isNamespaced ? ['NAMESPACE'] : []), ...columns.header, ...(format.isWide ? columns.wideHeader : [])];
  const rows = objects.map((object) => {
    const [name = '', ...rest] = columns.row(object, nowMs);
    return [
      ...(isNamespaced ? [object.metadata.namespace ?? ''] : []),
      format.hasKinds ? `${nameOf(kind)}/${name}` : name,
      ...rest,
      ...(format.isWide ? columns.wideRow(object) : []),
    ];
  });
  return formatTable(header, rows);
}

function nameOf(kind: Resource): string {
  return kind === 'EndpointSlice' ? 'endpointslice.discovery.k8s.io' : kind.toLowerCase();
}
