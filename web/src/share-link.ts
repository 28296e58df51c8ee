// The whole state of the page in the fragment of its address, compressed. Fragments are never sent to a server.
import type { ProxyMode } from 'svcplane';
import { exampleText } from './examples.ts';
import { type ClusterChange, ENGINES, INITIAL_STATE, MODES, type PlaygroundState, VIEWS } from './playground-state.ts';

/** Raised when links of before can no longer be read. */
const VERSION = '1';
/** A manifest of this size unpacked is more than a link was ever meant for. */
const UNPACKED_BYTES_MAX = 4_000_000;

export async function shareFragment(state: PlaygroundState): Promise<string> {
  const initial: Readonly<Record<string, unknown>> = { ...INITIAL_STATE };
  const chosen = Object.fromEntries(Object.entries(state).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(initial[key])));
  const packed = await throughStream(new TextEncoder().encode(JSON.stringify(chosen)), new CompressionStream('deflate-raw'));
  return `#${VERSION}${base64Url(packed)}`;
}

/** The state of a link; undefined when there is none. @throws Error when it cannot be read. */
export async function readFragment(fragment: string): Promise<PlaygroundState | undefined> {
  const text = fragment.replace(/^#/, '');
  if (text === '') return undefined;
  if (!text.startsWith(VERSION)) throw new Error('this link is not one of this version of the playground');
  const bytes = await throughStream(fromBase64Url(text.slice(VERSION.length)), new DecompressionStream('deflate-raw'));
  return stateOf(JSON.parse(new TextDecoder().decode(bytes)));
}

/** Unknown values are refused: half a state would answer another question than the one that was shared. */
function stateOf(value: unknown): PlaygroundState {
  if (typeof value !== 'object' || value === null) throw new Error('this link holds no state');
  const given: Readonly<Record<string, unknown>> = { ...INITIAL_STATE, ...value };
  const text = (key: string): string => {
    const found = given[key];
    if (typeof found !== 'string') throw new Error(`this link holds no text for ${key}`);
    return found;
  };
  const oneOf = <Value extends string>(key: string, values: readonly Value[]): Value => {
    const found = values.find((each) => each === given[key]);
    if (found === undefined) throw new Error(`this link asks for ${key} ${String(given[key])}, expected ${values.join(', ')}`);
    return found;
  };
  const example = text('example');
  if (example !== '' && exampleText(example) === '') throw new Error(`this link asks for the example ${example}, which does not exist`);
  if (!Array.isArray(given.changes)) throw new Error('this link holds no list of changes');
  return {
    example,
    manifests: text('manifests'),
    changes: given.changes.map(changeOf),
    from: text('from'),
    to: text('to'),
    protocol: text('protocol'),
    node: text('node'),
    mode: oneOf<ProxyMode>('mode', MODES),
    otherMode: oneOf<ProxyMode>('otherMode', MODES),
    engine: oneOf('engine', ENGINES),
    scheduler: text('scheduler'),
    view: oneOf('view', VIEWS),
  };
}

function changeOf(value: unknown): ClusterChange {
  const change: Readonly<Record<string, unknown>> = typeof value === 'object' && value !== null ? { ...value } : {};
  const { kind, pod, ready, workload, replicas, node, seconds } = change;
  if (kind === 'ready' && typeof pod === 'string' && typeof ready === 'boolean') return { kind, pod, ready };
  if (kind === 'terminate' && typeof pod === 'string') return { kind, pod };
  if (kind === 'scale' && typeof workload === 'string' && typeof replicas === 'number') return { kind, workload, replicas };
  if ((kind === 'drain' || kind === 'uncordon') && typeof node === 'string') return { kind, node };
  if (kind === 'advance' && typeof seconds === 'number') return { kind, seconds };
  throw new Error('this link holds a change that this version does not know');
}

async function throughStream(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(new Uint8Array(next.value));
    size += next.value.byteLength;
    if (size > UNPACKED_BYTES_MAX) throw new Error('this link is larger than the playground takes');
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

function base64Url(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
