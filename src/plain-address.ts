// Addresses as text, read and written in one pass: a cluster has hundreds of thousands of them. What is read is what Go's net package reads, but
// for leading zeros, which Kubernetes allows and takes for decimal. A test holds it against ipaddr.js.

const ZERO = 48;
const NINE = 57;
const DOT = 46;
const COLON = 58;
const LETTER_A = 97;
const GROUPS = 8;

/** The four octets of `10.0.0.1` as one word; leading zeros are decimal. `length`: how much of the text it is. Undefined: no IPv4 address. */
export function readIPv4(text: string, length = text.length): number | undefined {
  if (length > 15) return undefined;
  let word = 0;
  let octet = 0;
  let digits = 0;
  let dots = 0;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code >= ZERO && code <= NINE) {
      octet = octet * 10 + (code - ZERO);
      if (++digits > 3 || octet > 255) return undefined;
    } else {
      if (code !== DOT || digits === 0 || ++dots > 3) return undefined;
      word = word * 256 + octet;
      octet = 0;
      digits = 0;
    }
  }
  return dots === 3 && digits > 0 ? word * 256 + octet : undefined;
}

/** True when the text, which reads as that word, has no leading zeros: it is how the address is written. */
export function isPlainIPv4(text: string, word: number): boolean {
  let length = 3;
  for (let shift = 0; shift < 32; shift += 8) {
    const octet = (word >>> shift) & 255;
    length += octet > 99 ? 3 : octet > 9 ? 2 : 1;
  }
  return text.length === length;
}

/** The four words of groups of hexadecimal digits with at most one `::`, of which the last two may be an IPv4 address. Undefined: no IPv6 address. */
export function readIPv6(text: string): number[] | undefined {
  const words = readGroups(text);
  if (words !== undefined) return words;
  const tail = text.lastIndexOf(':') + 1;
  const word = readIPv4(text.slice(tail));
  if (word === undefined) return undefined;
  return readGroups(`${text.slice(0, tail)}${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`);
}

/** The groups that were read last. */
const READ = new Uint16Array(GROUPS);

function readGroups(text: string): number[] | undefined {
  const { length } = text;
  let count = 0;
  let gap = -1;
  let index = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return undefined;
    gap = 0;
    index = 2;
  }
  while (index < length) {
    let group = 0;
    const start = index;
    for (; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code === COLON) break;
      const digit = hexDigit(code);
      if (digit < 0) return undefined;
      group = group * 16 + digit;
    }
    if (index === start || index - start > 4 || count === GROUPS) return undefined;
    READ[count++] = group;
    if (index === length) break;
    index++; // the colon
    if (text.charCodeAt(index) === COLON) {
      if (gap >= 0) return undefined;
      gap = count;
      index++;
    } else if (index === length) return undefined;
  }
  if (gap < 0 ? count < GROUPS : count === GROUPS) return undefined;
  if (gap >= 0) {
    const end = GROUPS - count + gap;
    READ.copyWithin(end, gap, count);
    READ.fill(0, gap, end);
  }
  return [wordAt(0), wordAt(2), wordAt(4), wordAt(6)];
}

function wordAt(group: number): number {
  return (READ[group] ?? 0) * 0x10000 + (READ[group + 1] ?? 0);
}

/** The codes of the address that was written last. */
const WRITTEN = new Uint8Array(39);

/** RFC 5952: lower case, no leading zeros, the first of the longest runs of zero groups (two at least) as `::`. */
export function writeIPv6(words: readonly number[]): string {
  return String.fromCharCode(...WRITTEN.subarray(0, writeCodes(words)));
}

/** True when the text, which reads as these words, is how the address is written. */
export function isPlainIPv6(text: string, words: readonly number[]): boolean {
  const length = writeCodes(words);
  if (text.length !== length) return false;
  for (let at = 0; at < length; at++) if (text.charCodeAt(at) !== WRITTEN[at]) return false;
  return true;
}

/** Writes into WRITTEN, and returns how many codes they are. */
function writeCodes(words: readonly number[]): number {
  let longest = 1;
  let start = GROUPS;
  for (let group = 0, run = 0; group < GROUPS; group++) {
    run = groupOf(words, group) === 0 ? run + 1 : 0;
    if (run <= longest) continue;
    longest = run;
    start = group + 1 - run;
  }
  let at = 0;
  for (let group = 0; group < GROUPS; group++) {
    // A gap has a colon of its own, and gives the group behind it one.
    if (group > 0 || group === start) WRITTEN[at++] = COLON;
    if (group === start) {
      group += longest - 1;
      if (group === GROUPS - 1) WRITTEN[at++] = COLON;
      continue;
    }
    const value = groupOf(words, group);
    for (let shift = (31 - Math.clz32(value | 1)) & 12; shift >= 0; shift -= 4) {
      const digit = (value >>> shift) & 15;
      WRITTEN[at++] = digit + (digit > 9 ? LETTER_A - 10 : ZERO);
    }
  }
  return at;
}

function groupOf(words: readonly number[], group: number): number {
  const word = words[group >> 1] ?? 0;
  return (group & 1) === 0 ? word >>> 16 : word & 0xffff;
}

function hexDigit(code: number): number {
  if (code >= ZERO && code <= NINE) return code - ZERO;
  const letter = code | 0x20;
  return letter >= LETTER_A && letter <= 102 ? letter - LETTER_A + 10 : -1;
}
