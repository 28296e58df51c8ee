// A file of routing tests → its cases. What is wrong with it is said with file, line, field, value and what was expected.
import { type Place, parseDocuments } from '../api/documents.ts';
import { describe, Field, isRecord, problemMessage } from '../api/fields.ts';
import type { ServicePortView } from '../dataplane-types.ts';
import { formatLocation, ManifestError, type SourceLocation } from '../errors.ts';
import type { ProxyMode } from '../packet.ts';
import { nearest } from './near-names.ts';

export type FrontendKind = ServicePortView['frontends'][number]['kind'];

/** allowed: every connection gets through. refused: rejected or dropped. unanswered: no Service takes it, it goes on as it is. */
export type ExpectedOutcome = 'allowed' | 'refused' | 'rejected' | 'dropped' | 'unanswered';

export interface RoutingCase {
  readonly name: string;
  /** As `trace --from` has it. */
  readonly from: string;
  /** As `trace --to` has it. */
  readonly to: string;
  /** Which address of the Service. */
  readonly via: FrontendKind;
  readonly protocol?: string;
  readonly node?: string;
  readonly modes: readonly ProxyMode[];
  readonly expect?: ExpectedOutcome;
  /** Exactly these: addresses with or without port, or Pods. */
  readonly backends?: readonly string[];
  /** Exactly these: `[kind/][namespace/]name` of what controls the Pods. */
  readonly workloads?: readonly string[];
  /** Of all connections, by backend or workload: 0-1. */
  readonly shares: readonly { readonly name: string; readonly share: number }[];
  /** By how much a share may differ: 0-1. */
  readonly tolerance: number;
  readonly masquerade?: boolean;
  readonly reachableFromOutside?: boolean;
  /** `file:line` of the case, or of one of its fields. */
  place(field?: string): string;
}

export interface CaseDefaults {
  readonly mode: ProxyMode;
}

const API_VERSION = 'svcplane/v1';
const KIND = 'RoutingTest';
const MODES: readonly ProxyMode[] = ['iptables', 'ipvs', 'nftables'];
const OUTCOMES: readonly ExpectedOutcome[] = ['allowed', 'refused', 'rejected', 'dropped', 'unanswered'];
const VIAS: readonly FrontendKind[] = ['ClusterIP', 'NodePort', 'ExternalIP', 'LoadBalancerIP'];
const END_FIELDS = ['from', 'to', 'via', 'protocol', 'node', 'mode', 'tolerance'];
const CLAIMS = ['expect', 'backends', 'workloads', 'shares', 'masquerade', 'reachableFromOutside'];
const CASE_FIELDS = ['name', ...END_FIELDS, ...CLAIMS];
const FILE_FIELDS = ['apiVersion', 'kind', 'metadata', 'defaults', 'cases'];
const DEFAULT_FROM = 'default/client';
const DEFAULT_TOLERANCE = 0.01;

/** All cases of a file, and all that is wrong with the others. @throws ManifestError when it is no file of routing tests at all. */
export function parseRoutingCases(
  text: string,
  origin: string,
  options: CaseDefaults,
): { readonly cases: readonly RoutingCase[]; readonly problems: readonly ManifestError[] } {
  const problems: ManifestError[] = [];
  const documents = parseDocuments(text, origin);
  if (documents.length === 0) throw new ManifestError(`is empty, expected apiVersion: ${API_VERSION}, kind: ${KIND}`, { origin });
  const cases = documents.flatMap(({ value, place }) => {
    const root = new Field(value, (path, wrong, message) => new ManifestError(messageOf(path, wrong, message), place.locate(path)));
    checkHead(root, value, place);
    const defaults = root.at('defaults');
    return root
      .at('cases')
      .items()
      .flatMap((field, index) => {
        try {
          return [readCase(field, defaults, `${index + 1}`, place, options)];
        } catch (error) {
          if (!(error instanceof ManifestError)) throw error;
          problems.push(error);
          return [];
        }
      });
  });
  return { cases, problems };
}

function messageOf(path: string, wrong: unknown, message: string): string {
  return `${path === '' ? 'the document' : path} ${problemMessage(wrong, message)}`;
}

function checkHead(root: Field, value: unknown, place: Place): void {
  if (!isRecord(value))
    throw new ManifestError(`is ${describe(value)}, expected apiVersion: ${API_VERSION}, kind: ${KIND}`, place.locate());
  if (value.apiVersion !== API_VERSION) throw root.at('apiVersion').invalid(`is not ${API_VERSION}`);
  if (value.kind !== KIND) throw root.at('kind').invalid(`is not ${KIND}`);
  knowFields(root, FILE_FIELDS, 'a routing test');
  knowFields(root.at('defaults'), END_FIELDS, 'defaults');
  if (root.at('cases').isAbsent) throw root.at('cases').invalid('is missing');
}

function readCase(field: Field, defaults: Field, number: string, place: Place, options: CaseDefaults): RoutingCase {
  if (!isRecord(field.value)) throw field.invalid('is not an object');
  knowFields(field, CASE_FIELDS, 'a case');
  const end = (name: string) => (field.at(name).isAbsent ? defaults.at(name) : field.at(name));
  const claims = CLAIMS.filter((name) => !field.at(name).isAbsent);
  if (claims.length === 0)
    throw new ManifestError(`${field.path} claims nothing, expected one of ${CLAIMS.join(', ')}`, place.locate(field.path));
  const to = end('to').text();
  if (to === undefined) throw field.at('to').invalid('is missing');
  const at = (name?: string) => lineOf(place.locate(name === undefined ? field.path : `${field.path}.${name}`));
  return {
    name: field.at('name').text() ?? `case ${number}: ${to}`,
    from: end('from').text() ?? DEFAULT_FROM,
    to,
    via: choice(end('via'), VIAS) ?? 'ClusterIP',
    ...optional('protocol', end('protocol').text()),
    ...optional('node', end('node').text()),
    modes: modesOf(end('mode'), options.mode),
    ...optional('expect', choice(field.at('expect'), OUTCOMES)),
    ...optional('backends', texts(field.at('backends'))),
    ...optional('workloads', texts(field.at('workloads'))),
    shares: field
      .at('shares')
      .entries()
      .map(([name, share]) => ({ name, share: fraction(share) })),
    tolerance: end('tolerance').isAbsent ? DEFAULT_TOLERANCE : fraction(end('tolerance')),
    ...optional('masquerade', field.at('masquerade').boolean()),
    ...optional('reachableFromOutside', field.at('reachableFromOutside').boolean()),
    place: at,
  };
}

function lineOf({ origin, line }: SourceLocation): string {
  return formatLocation({ origin, ...(line === undefined ? {} : { line }) });
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined): Partial<Record<Name, Value>> {
  return value === undefined ? {} : ({ [name]: value } as Record<Name, Value>);
}

function knowFields(field: Field, known: readonly string[], what: string): void {
  for (const name of Object.keys(isRecord(field.value) ? field.value : {})) {
    if (known.includes(name)) continue;
    throw field.at(name).invalid(`is no field of ${what}${nearest(name, known)}`);
  }
}

function choice<const Value extends string>(field: Field, values: readonly Value[]): Value | undefined {
  const text = field.text();
  if (text === undefined) return undefined;
  const value = values.find((each) => each === text);
  if (value === undefined) throw field.invalid(`is not one of ${values.join(', ')}${nearIfAny(text, values)}`);
  return value;
}

function nearIfAny(text: string, values: readonly string[]): string {
  const near = nearest(text, values);
  return near.includes('did you mean') ? near : '';
}

/** One mode, a list of them, or `all`. */
function modesOf(field: Field, usual: ProxyMode): readonly ProxyMode[] {
  if (field.isAbsent) return [usual];
  if (field.value === 'all') return MODES;
  const fields = Array.isArray(field.value) ? field.items() : [field];
  return fields.map((each) => {
    const mode = MODES.find((known) => known === each.value);
    if (mode === undefined) throw each.invalid(`is not one of ${MODES.join(', ')}, all${nearIfAny(String(each.value), [...MODES, 'all'])}`);
    return mode;
  });
}

/** A list of texts, or one. */
function texts(field: Field): readonly string[] | undefined {
  if (field.isAbsent) return undefined;
  if (typeof field.value === 'string') return [field.value];
  return field.items().map((item) => {
    const text = item.text();
    if (text === undefined) throw item.invalid('is missing');
    return text;
  });
}

/** `50%`, or 0.5. */
function fraction(field: Field): number {
  const { value } = field;
  const number = typeof value === 'string' && /^\d+(\.\d+)?%$/.test(value) ? Number(value.slice(0, -1)) / 100 : value;
  if (typeof number !== 'number' || !(number >= 0 && number <= 1)) throw field.invalid('is not a share, expected 0-1 or 0%-100%');
  return number;
}
