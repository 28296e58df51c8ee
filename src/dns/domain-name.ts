// Domain names as text. One form everywhere: labels with a dot behind each, and whatever is no plain character of a label, a dot or
// a backslash included, as \DDD. So a dot is always a boundary, and text can be split, compared and cut without reading escapes.

const PLAIN_MIN = 0x21;
const PLAIN_MAX = 0x7e;
const DOT = 0x2e;
const BACKSLASH = 0x5c;
export const LABEL_BYTES_MAX = 63;
export const NAME_BYTES_MAX = 255;
export const ROOT = '.';
const ASCII_TEXT = /^[\x20-\x7e]+$/;

/** The text of one label given as a string of bytes. */
export function labelText(bytes: string): string {
  for (let at = 0; at < bytes.length; at++) if (!isPlain(bytes.charCodeAt(at))) return escaped(bytes);
  return bytes;
}

/** The bytes of one label, as a string with one character a byte. */
export function labelBytes(text: string): string {
  return text.includes('\\') ? text.replace(/\\(\d{3})/g, (_, digits) => String.fromCharCode(Number(digits))) : text;
}

/** The labels, the root left out. */
export function labelsOf(name: string): string[] {
  return name === ROOT ? [] : name.slice(0, -1).split('.');
}

/** Below the zone, or the zone itself. Both in one case. */
export function isWithin(zone: string, name: string): boolean {
  return zone === ROOT || name === zone || (name.endsWith(zone) && name.charCodeAt(name.length - zone.length - 1) === DOT);
}

/** What a person or a manifest writes → the one form, made absolute; undefined when no message can carry it. */
export function readName(text: string): string | undefined {
  if (text === ROOT) return ROOT;
  if (!ASCII_TEXT.test(text)) return undefined;
  const plain = text.replace(/\\(\d{3})|\\(.)/gs, (_, digits, char) =>
    escaped(digits === undefined ? char : String.fromCharCode(Number(digits))),
  );
  const labels = (plain.endsWith('.') ? plain.slice(0, -1) : plain).split('.').map((label) => labelText(labelBytes(label)));
  const lengths = labels.map((label) => labelBytes(label).length);
  const isCarried = lengths.every((length) => length > 0 && length <= LABEL_BYTES_MAX);
  const size = lengths.reduce((sum, length) => sum + length + 1, 1);
  return isCarried && size <= NAME_BYTES_MAX ? `${labels.join('.')}.` : undefined;
}

function isPlain(code: number): boolean {
  return code >= PLAIN_MIN && code <= PLAIN_MAX && code !== DOT && code !== BACKSLASH;
}

function escaped(bytes: string): string {
  let text = '';
  for (let at = 0; at < bytes.length; at++) {
    const code = bytes.charCodeAt(at);
    text += isPlain(code) ? bytes.charAt(at) : `\\${String(code).padStart(3, '0')}`;
  }
  return text;
}
