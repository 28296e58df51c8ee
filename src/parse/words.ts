// A line of iptables-save as words, and words as options: the shape of the language, before anything is meant.

export interface Word {
  readonly text: string;
  /** It stood in quotes, so it is a value, whatever it looks like. */
  readonly isQuoted: boolean;
}

/** `--ctstate NEW`: one option with its values. A short one is `-s`. */
export interface Option {
  readonly name: string;
  readonly values: readonly string[];
  readonly negated: boolean;
}

/** A part of a rule: an option of the header (`-s`), a module with its options (`-m`), or the target with its own (`-j`, `-g`). */
export interface Clause {
  /** `-s`, `-m`, `-j` …; undefined: options without a module, which are the protocol's. */
  readonly flag: string | undefined;
  /** What follows the flag: an address, a module, a target. */
  readonly value: string;
  readonly negated: boolean;
  readonly options: readonly Option[];
  /** As it was written. */
  readonly text: string;
}

const HEADER_FLAGS: Readonly<Record<string, string>> = {
  '-s': '-s',
  '--source': '-s',
  '--src': '-s',
  '-d': '-d',
  '--destination': '-d',
  '--dst': '-d',
  '-i': '-i',
  '--in-interface': '-i',
  '-o': '-o',
  '--out-interface': '-o',
  '-p': '-p',
  '--protocol': '-p',
  '-f': '-f',
  '--fragment': '-f',
  '-c': '-c',
  '--set-counters': '-c',
  '-m': '-m',
  '--match': '-m',
  '-j': '-j',
  '--jump': '-j',
  '-g': '-g',
  '--goto': '-g',
};

/** Words are parted by blanks; double quotes hold one together, and in them a backslash takes the next character as it is. */
export function splitWords(line: string): Word[] {
  const words: Word[] = [];
  for (const [whole, quoted] of line.matchAll(/"((?:[^"\\]|\\.)*)"|[^\s"]+/g)) {
    words.push(quoted === undefined ? { text: whole, isQuoted: false } : { text: quoted.replace(/\\(.)/g, '$1'), isQuoted: true });
  }
  return words;
}

/** Every quote that begins ends. */
export function hasWholeQuotes(line: string): boolean {
  return !line.replace(/"(?:[^"\\]|\\.)*"/g, '').includes('"');
}

/** The clauses of a rule, after `-A CHAIN`. */
export function splitClauses(words: readonly Word[]): Clause[] {
  const starts = words.flatMap((_, index) => (beginsClause(words, index) ? [index] : []));
  return starts.map((start, index) => readClause(words.slice(start, starts[index + 1])));
}

/** As a person would write it back. */
export function wordsText(words: readonly Word[]): string {
  return words.map(({ text, isQuoted }) => (isQuoted ? `"${text.replace(/["\\]/g, '\\$&')}"` : text)).join(' ');
}

function beginsClause(words: readonly Word[], index: number): boolean {
  const before = words[index - 1];
  if (before !== undefined && (isBang(before) || isCommentOption(before))) return false;
  if (index === 0) return true;
  const at = words[index];
  const flag = at !== undefined && isBang(at) ? words[index + 1] : at;
  return isHeaderFlag(flag) || isLooseOption(words, index);
}

/** A long option right after a header flag's value belongs to no module: `-p tcp --dport 80`. */
function isLooseOption(words: readonly Word[], index: number): boolean {
  const at = words[index];
  const first = at !== undefined && isBang(at) ? words[index + 1] : at;
  if (first === undefined || first.isQuoted || !first.text.startsWith('--')) return false;
  const flag = words[index - 2];
  return flag !== undefined && isHeaderFlag(flag) && !['-m', '-j', '-g'].includes(HEADER_FLAGS[flag.text] ?? '');
}

/** Its value may look like anything. */
function isCommentOption({ text, isQuoted }: Word): boolean {
  return text === '--comment' && !isQuoted;
}

function isHeaderFlag(word: Word | undefined): boolean {
  return word !== undefined && !word.isQuoted && Object.hasOwn(HEADER_FLAGS, word.text);
}

function isBang({ text, isQuoted }: Word): boolean {
  return text === '!' && !isQuoted;
}

function readClause(words: readonly Word[]): Clause {
  const text = wordsText(words);
  const isNegated = words[0] !== undefined && isBang(words[0]);
  const [flag, ...rest] = isNegated ? words.slice(1) : words;
  if (flag === undefined || !isHeaderFlag(flag)) return { flag: undefined, value: '', negated: false, options: splitOptions(words), text };
  // `-s ! 10.0.0.0/8` is how old versions print a negation.
  const isNegatedInside = rest[0] !== undefined && isBang(rest[0]);
  const [value, ...options] = isNegatedInside ? rest.slice(1) : rest;
  return {
    flag: HEADER_FLAGS[flag.text],
    value: value?.text ?? '',
    negated: isNegated !== isNegatedInside,
    options: splitOptions(options),
    text,
  };
}

function splitOptions(words: readonly Word[]): Option[] {
  const options: { name: string; values: string[]; negated: boolean }[] = [];
  let negatesNext = false;
  for (const word of words) {
    const last = options.at(-1);
    const isName = !word.isQuoted && word.text.startsWith('-') && !(last?.name === '--comment' && last.values.length === 0);
    if (isName) {
      options.push({ name: word.text, values: [], negated: negatesNext });
      negatesNext = false;
    } else if (isBang(word) && last !== undefined && last.values.length === 0 && takesValue(words, word)) {
      last.negated = !last.negated;
    } else if (isBang(word)) {
      negatesNext = true;
    } else {
      last?.values.push(word.text);
    }
  }
  return options;
}

/** `--mark ! 0x1` and not `--reap ! --rttl`: what follows the bang is a value. */
function takesValue(words: readonly Word[], bang: Word): boolean {
  const next = words[words.indexOf(bang) + 1];
  return next !== undefined && (next.isQuoted || !next.text.startsWith('-'));
}
