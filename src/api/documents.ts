// Text → JSON values that know where they stand: multi-document YAML and JSON. Knows nothing of Kubernetes.
// manifests.ts and config.ts read their input through here.
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import { ManifestError, type SourceLocation } from '../errors.ts';

/** A step into a value: a key of an object, an index of a list. */
export type Segment = string | number;

/** Where a value stands: which document of which text, and the way into it. */
export interface Place {
  readonly source: ManifestText;
  readonly document: number;
  readonly segments: readonly Segment[];
}

export interface ManifestDocument {
  readonly value: unknown;
  readonly place: Place;
}

/** A text and the name of its origin. Remembers its syntax tree once somebody asks for a location. */
export class ManifestText {
  readonly origin: string;
  readonly text: string;
  readonly #lines = new LineCounter();
  #documents: readonly Document.Parsed[] | undefined;

  constructor(text: string, origin: string) {
    this.text = text.startsWith('\ufeff') ? text.slice(1) : text;
    this.origin = origin;
  }

  /** Parsed anew only on demand: the trees of a large dump would outweigh its objects. */
  documents(): readonly Document.Parsed[] {
    this.#documents ??= [...parseAllDocuments(this.text, { lineCounter: this.#lines, merge: true, prettyErrors: false })];
    return this.#documents;
  }

  forgetDocuments(): void {
    this.#documents = undefined;
    this.#lines.lineStarts.length = 0;
  }

  locationAt(offset: number): SourceLocation {
    const { line, col } = this.#lines.linePos(offset);
    return { origin: this.origin, line, column: col };
  }
}

/** The documents of a text that are not empty. @throws ManifestError */
export function parseDocuments(text: string, origin: string): ManifestDocument[] {
  const source = new ManifestText(text, origin);
  const json = parseJson(source.text);
  if (json !== undefined) return [{ value: json, place: { source, document: 0, segments: [] } }];
  const values = source.documents().map((document) => toValue(document, source));
  source.forgetDocuments();
  return values.flatMap((value, document) => (value === null ? [] : [{ value, place: { source, document, segments: [] } }]));
}

/** The location of a field inside a place, or of its nearest parent that stands in the text. */
export function locate(place: Place, path = ''): SourceLocation {
  let node: unknown = place.source.documents()[place.document]?.contents;
  let offset = offsetOf(node) ?? 0;
  for (const segment of [...place.segments, ...splitPath(path)]) {
    node = childOf(resolveAlias(node, place), segment);
    const found = offsetOf(node);
    if (found === undefined) break;
    offset = found;
  }
  return place.source.locationAt(offset);
}

/** JSON takes the fast way, as dumps of clusters are large; anything doubtful is left to the YAML parser, which can say where. */
function parseJson(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return countKeys(value) === countKeyTokens(text) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Fewer keys in the value than in the text mean that a key stood twice: JSON.parse keeps the last one silently. */
function countKeyTokens(text: string): number {
  let count = 0;
  for (const [, colon] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g)) if (colon !== undefined) count++;
  return count;
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const children = Object.values(value);
  return children.reduce<number>((count, child) => count + countKeys(child), Array.isArray(value) ? 0 : children.length);
}

function toValue(document: Document.Parsed, source: ManifestText): unknown {
  const [error] = document.errors;
  if (error !== undefined) {
    const [start] = error.pos;
    const message = error.code === 'DUPLICATE_KEY' ? `duplicate key ${keyAt(source.text, start)}` : lowerFirst(error.message);
    throw new ManifestError(message, source.locationAt(start));
  }
  try {
    return document.toJS();
  } catch (error) {
    // An alias without an anchor, or aliases that would unfold without bound.
    const message = error instanceof Error ? lowerFirst(error.message) : String(error);
    throw new ManifestError(message, source.locationAt(offsetOf(document.contents) ?? 0));
  }
}

/** A key as it is written, with its quotes. */
function keyAt(text: string, offset: number): string {
  const key = /"(?:[^"\\]|\\.)*"|'[^']*'|[^\s:]+/y;
  key.lastIndex = offset;
  return key.exec(text)?.[0] ?? '';
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function resolveAlias(node: unknown, place: Place): unknown {
  const document = place.source.documents()[place.document];
  return isAlias(node) && document !== undefined ? node.resolve(document) : node;
}

function childOf(node: unknown, segment: Segment): unknown {
  if (isSeq(node)) return node.items[Number(segment)];
  if (!isMap(node)) return undefined;
  return node.items.find((pair) => (isScalar(pair.key) ? String(pair.key.value) : pair.key) === String(segment))?.value;
}

function offsetOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

/** `spec.ports[0].port` and `metadata.labels[a.b/c]`: what stands in brackets is one key or index. */
function splitPath(path: string): Segment[] {
  return [...path.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)].map(([, bracketed, plain]) => bracketed ?? plain ?? '');
}
