// The error classes of the library. Everything that svcplane throws on purpose is one of these.

/** Where an object or a line came from: a file (or `<stdin>`), and 1-based line and column when they are known. */
export interface SourceLocation {
  readonly origin: string;
  readonly line?: number;
  readonly column?: number;
}

/** `file.yaml:3:7`, as editors and compilers print a place. */
export function formatLocation(location: SourceLocation): string {
  const parts = [location.origin];
  if (location.line !== undefined) parts.push(String(location.line));
  if (location.line !== undefined && location.column !== undefined) parts.push(String(location.column));
  return parts.join(':');
}

/** By origin, then by line and column; what has no place comes first. */
export function compareLocations(a: SourceLocation | undefined, b: SourceLocation | undefined): number {
  const origins = [a?.origin ?? '', b?.origin ?? ''] as const;
  if (origins[0] !== origins[1]) return origins[0] < origins[1] ? -1 : 1;
  return (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0);
}

/** The base of all errors of this library, so that one `instanceof` tells them from other failures. */
export class SvcplaneError extends Error {
  override name = 'SvcplaneError';
}

/** A manifest that cannot be read at all: YAML or JSON syntax, or a document that is no Kubernetes object. */
export class ManifestError extends SvcplaneError {
  override name = 'ManifestError';
  readonly location: SourceLocation;

  constructor(message: string, location: SourceLocation) {
    super(`${formatLocation(location)}: ${message}`);
    this.location = location;
  }
}

/** One thing that is wrong with an object. `expected` reads on after "is not valid, expected …". */
export interface ObjectProblem {
  readonly kind: string;
  /** namespace/name, or the name alone for objects of no namespace. */
  readonly object: string;
  /** As kubectl writes it: `spec.ports[0].port`. */
  readonly path: string;
  readonly value: unknown;
  /** What is wrong, then what was expected: `70000 is outside 1-65535`. */
  readonly message: string;
  readonly location?: SourceLocation;
  /** The object that already holds what this one asks for. */
  readonly owner?: string;
}

/** An object that a dataplane cannot represent. Thrown before anything changes: `apply` takes all objects or none. */
export class InvalidObjectError extends SvcplaneError implements ObjectProblem {
  override name = 'InvalidObjectError';
  readonly kind: string;
  readonly object: string;
  readonly path: string;
  readonly value: unknown;
  readonly location?: SourceLocation;

  constructor(problem: ObjectProblem) {
    const where = problem.location === undefined ? '' : `${formatLocation(problem.location)}: `;
    super(`${where}${problem.kind.toLowerCase()} ${problem.object}: ${problem.path} ${problem.message}`);
    this.kind = problem.kind;
    this.object = problem.object;
    this.path = problem.path;
    this.value = problem.value;
    if (problem.location !== undefined) this.location = problem.location;
  }
}

/** What is wrong with a line of a dump. */
export interface RulesProblem {
  /** 1-based. */
  readonly line: number;
  /** The whole line. */
  readonly rule: string;
  /** The words that cannot be read, or are not modelled. */
  readonly match: string;
  /** Reads on after the words: `is not modelled`. */
  readonly message: string;
}

/** A dump of rules that cannot be read, or that asks for what svcplane does not model. It is never passed over in silence. */
export class RulesError extends SvcplaneError implements RulesProblem {
  override name = 'RulesError';
  readonly line: number;
  readonly rule: string;
  readonly match: string;

  constructor({ line, rule, match, message }: RulesProblem) {
    super(`rules line ${line}: ${match} ${message}${match === rule ? '' : `, in: ${rule}`}`);
    this.line = line;
    this.rule = rule;
    this.match = match;
  }
}

/** Of a value in a message, so that an object or a text leaves room for what is wrong with it. */
const SHOWN_MAX = 100;

/** An option or a packet that makes no sense: the name of the field, the value, and what was expected. */
export class InvalidArgumentError extends SvcplaneError {
  override name = 'InvalidArgumentError';
  readonly path: string;
  readonly value: unknown;

  constructor(path: string, value: unknown, expected: string) {
    // NaN and Infinity are null to JSON.
    const text = String(typeof value === 'number' ? value : (JSON.stringify(value) ?? value));
    super(`${path} ${text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text} ${expected}`);
    this.path = path;
    this.value = value;
  }
}

/** A mode, scheduler, match or target that svcplane does not model. It never falls back to another one. */
export class UnsupportedError extends SvcplaneError {
  override name = 'UnsupportedError';
}

/** Something does not fit: `need` is more than the named `limit`. */
export class CapacityError extends SvcplaneError {
  override name = 'CapacityError';
  readonly limit: number;
  readonly need: number;

  constructor(what: string, limit: number, need: number) {
    super(`${what}: ${need} needed, the limit is ${limit}`);
    this.limit = limit;
    this.need = need;
  }
}

/** A dataplane or an IPVS was used after it was disposed. */
export class DisposedError extends SvcplaneError {
  override name = 'DisposedError';
}

/** The WebAssembly core is missing, stale, or trapped: always a bug of svcplane, never of its input. */
export class CoreError extends SvcplaneError {
  override name = 'CoreError';
}
