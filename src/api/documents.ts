// Text → JSON values that know where they stand: multi-document YAML and JSON. Knows nothing of Kubernetes.
// manifests.ts and config.ts read their input through here.

import type { Document } from 'yaml';
import { isAlias, isMap, isNode, isScalar, isSeq, parseAllDocuments } from '#yaml';
import { ManifestError, type SourceLocation } from '../errors.ts';
import { templateAt, templateIn, UNRENDERED } from './template.ts';

/** A step into a value: a key of an object, an index of a list. */
export type Segment = string | number;

/** Where a value stands: which document of which text, and the way into it. */
export class Place {
  readonly #source: ManifestText;
  readonly #document: number;
  readonly #segments: readonly Segment[];

  constructor(source: ManifestText, document: number, segments: readonly Segment[] = []) {
    this.#source = source;
    this.#document = document;
    this.#segments = segments;
  }

  /** Of a value inside this one. */
  at(...segments: readonly Segment[]): Place {
    return new Place(this.#source, this.#document, [...this.#segments, ...segments]);
  }

  /** The location of a field inside, or of its nearest parent that stands in the text. */
  locate(path = ''): SourceLocation {
    const tree = this.#source.tree(this.#document);
    if (tree === undefined) return this.#source.locationAt(0);
    let node: unknown = tree.document.contents;
    let offset = offsetOf(node) ?? 0;
    for (const segment of [...this.#segments, ...splitPath(path)]) {
      node = childOf(isAlias(node) ? node.resolve(tree.document) : node, segment);
      const found = offsetOf(node);
      if (found === undefined) break;
      offset = found;
    }
    return this.#source.locationAt(tree.start + offset);
  }
}

export interface ManifestDocument {
  readonly value: unknown;
  readonly place: Place;
}

/** One document as a syntax tree, and where its text begins in the whole one: its nodes count from there. */
interface SyntaxTree {
  readonly document: Document.Parsed;
  readonly start: number;
}

/** A text and the name of its origin. Remembers the syntax trees of those documents that somebody asks a location of. */
export class ManifestText {
  readonly origin: string;
  readonly text: string;
  /** Without them no document holds a template: asked once of a text, which may have thousands of documents. */
  readonly hasBraces: boolean;
  /** Where each document begins and ends; empty: the text was not read as YAML. */
  #ranges: readonly (readonly [start: number, end: number])[] = [];
  readonly #trees = new Map<number, SyntaxTree>();
  #lineStarts: readonly number[] | undefined;

  constructor(text: string, origin: string) {
    this.text = text.startsWith('\ufeff') ? text.slice(1) : text;
    this.origin = origin;
    this.hasBraces = this.text.includes('{{');
  }

  /** All documents. Only their places are remembered: the trees of a large dump would outweigh its objects. */
  parse(): readonly Document.Parsed[] {
    const documents = parseAll(this.text);
    this.#ranges = documents.map(({ range }) => [range[0], range[2]]);
    return documents;
  }

  /** The tree of one document, parsed anew when it is first asked for. Undefined: there is none. */
  tree(index: number): SyntaxTree | undefined {
    const known = this.#trees.get(index);
    if (known !== undefined) return known;
    const [start, end] = this.#ranges[index] ?? [0, this.text.length];
    const [document, ...others] = parseAll(this.text.slice(start, end));
    // What a document takes from the directives before it is not in its own text.
    const isWhole = document !== undefined && others.length === 0 && document.errors.length === 0;
    const parsed = isWhole ? document : parseAll(this.text)[index];
    if (parsed === undefined) return undefined;
    const tree = { document: parsed, start: isWhole ? start : 0 };
    this.#trees.set(index, tree);
    return tree;
  }

  locationAt(offset: number): SourceLocation {
    this.#lineStarts ??= [0, ...Array.from(this.text.matchAll(/\n/g), ({ index }) => index + 1)];
    const line = this.#lineStarts.findLastIndex((start) => start <= offset);
    return { origin: this.origin, line: line + 1, column: offset - (this.#lineStarts[line] ?? 0) + 1 };
  }
}

function parseAll(text: string): readonly Document.Parsed[] {
  return [...parseAllDocuments(text, { merge: true, prettyErrors: false })];
}

/** The documents of a text that are not empty. @throws ManifestError */
export function parseDocuments(text: string, origin: string): ManifestDocument[] {
  const source = new ManifestText(text, origin);
  const json = parseJson(source.text);
  if (json !== undefined) return [{ value: json, place: new Place(source, 0) }];
  const values = source.parse().map((document) => toValue(document, source));
  return values.flatMap((value, document) => (value === null ? [] : [{ value, place: new Place(source, document) }]));
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
    const template = templateAt(source.text, start);
    if (template !== undefined) throw new ManifestError(UNRENDERED, source.locationAt(template));
    const message = error.code === 'DUPLICATE_KEY' ? `duplicate key ${keyAt(source.text, start)}` : lowerFirst(error.message);
    throw new ManifestError(message, source.locationAt(start));
  }
  const template = source.hasBraces ? templateIn(document.contents) : undefined;
  if (template !== undefined) throw new ManifestError(UNRENDERED, source.locationAt(offsetOf(template) ?? 0));
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
