// Addresses as text, read and written in one pass: a cluster has hundreds of thousands of them. What is read is what Go's net package reads, but
// for leading zeros, which Kubernetes allows and takes for decimal. A test holds it against ipaddr.js.

const ZERO = 48;
const NINE = 57;
const DOT = 46;
const COLON = 58;
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
  if (!text.includes('.')) return readGroups(text);
  const tail = text.lastIndexOf(':') + 1;
  const word = readIPv4(text.slice(tail));
  if (word === undefined) return undefined;
  return readGroups(`${text.slice(0, tail)}${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`);
}

function readGroups(text: string): number[] | undefined {
  const groups: number[] = [];
  const { length } = text;
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
    for (; index < length && text.charCodeAt(index) !== COLON; index++) {
      const digit = hexDigit(text.charCodeAt(index));
      if (digit < 0) return undefined;
      group = group * 16 + digit;
    }
    if (index === start || index - start > 4 || groups.length === GROUPS) return undefined;
    groups.push(group);
    if (index === length) break;
    index++; // the colon
    if (text.charCodeAt(index) === COLON) {
      if (gap >= 0) return undefined;
      gap = groups.length;
      index++;
    } else if (index === length) return undefined;
  }
  const missing = GROUPS - groups.length;
  if (gap < 0 ? missing !== 0 : missing < 1) return undefined;
  if (gap >= 0) groups.splice(gap, 0, ...Array<number>(missing).fill(0));
  return [0, 2, 4, 6].map((at) => (groups[at] ?? 0) * 0x10000 + (groups[at + 1] ?? 0));
}

/** RFC 5952: lower case, no leading zeros, the first of the longest runs of zero groups (two at least) as `::`. */
export function writeIPv6(words: readonly number[]): string {
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  let runStart = 0;
  let runLength = 0;
  for (let start = 0; start < GROUPS; start++) {
    let end = start;
    while (end < GROUPS && groups[end] === 0) end++;
    if (end - start > runLength) [runStart, runLength] = [start, end - start];
    start = Math.max(start, end);
  }
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (runLength < 2) return hex(groups);
  return `${hex(groups.slice(0, runStart))}::${hex(groups.slice(runStart + runLength))}`;
}

function hexDigit(code: number): number {
  if (code >= ZERO && code <= NINE) return code - ZERO;
  const letter = code | 0x20;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
