// Where the objects of parseManifests stand in their texts. Apart from manifests.ts: whoever refuses an object asks here, and carries no YAML parser
// for those that came without a text.
import type { SourceLocation } from '../errors.ts';
import type { Place } from './documents.ts';

// Beside the objects and not in them, so that they stay what was written and can be printed again.
const places = new WeakMap<object, Place>();

export function rememberPlace(object: object, place: Place): void {
  places.set(object, place);
}

/**
 * Where an object of `parseManifests`, or a field of it, stands; for a field that is not in the text, where its nearest parent stands.
 *
 * @param path as kubectl writes it: `spec.ports[0].port`.
 */
export function locationOf(object: object, path?: string): SourceLocation | undefined {
  return places.get(object)?.locate(path);
}
