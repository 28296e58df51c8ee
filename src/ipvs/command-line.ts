// One line of ipvsadm's language into its options: short and long names, in any order, values apart or attached.
import { InvalidArgumentError, UnsupportedError } from '../errors.ts';

/** Every option has one name here, its short one where it has one. */
interface OptionRule {
  readonly long: string;
  readonly short?: string;
  readonly value: 'none' | 'one' | 'optional' | 'three';
}

const RULES: readonly OptionRule[] = [
  { short: '-A', long: '--add-service', value: 'none' },
  { short: '-E', long: '--edit-service', value: 'none' },
  { short: '-D', long: '--delete-service', value: 'none' },
  { short: '-C', long: '--clear', value: 'none' },
  { short: '-a', long: '--add-server', value: 'none' },
  { short: '-e', long: '--edit-server', value: 'none' },
  { short: '-d', long: '--delete-server', value: 'none' },
  { long: '--set', value: 'three' },
  { short: '-t', long: '--tcp-service', value: 'one' },
  { short: '-u', long: '--udp-service', value: 'one' },
  { long: '--sctp-service', value: 'one' },
  { short: '-f', long: '--fwmark-service', value: 'one' },
  { short: '-6', long: '--ipv6', value: 'none' },
  { short: '-s', long: '--scheduler', value: 'one' },
  { short: '-p', long: '--persistent', value: 'optional' },
  { short: '-M', long: '--netmask', value: 'one' },
  { short: '-b', long: '--sched-flags', value: 'one' },
  { short: '-o', long: '--ops', value: 'none' },
  { short: '-r', long: '--real-server', value: 'one' },
  { short: '-m', long: '--masquerading', value: 'none' },
  { short: '-w', long: '--weight', value: 'one' },
  { short: '-x', long: '--u-threshold', value: 'one' },
  { short: '-y', long: '--l-threshold', value: 'one' },
  { short: '-n', long: '--numeric', value: 'none' },
];

/** Known to ipvsadm, and refused: each by what it asks for. */
const UNMODELLED: ReadonlyMap<string, string> = new Map([
  ['-g', 'direct routing'],
  ['--gatewaying', 'direct routing'],
  ['-i', 'tunnelling'],
  ['--ipip', 'tunnelling'],
  ['--tun-type', 'tunnelling'],
  ['--pe', 'a persistence engine'],
  ['--start-daemon', 'the synchronisation daemon'],
  ['--stop-daemon', 'the synchronisation daemon'],
]);

/** Option → its values, by the short name where it has one. */
export type LineOptions = ReadonlyMap<string, readonly string[]>;

/** The options of one line. `where` names the line. @throws InvalidArgumentError, UnsupportedError */
export function readOptions(line: string, where: string): LineOptions {
  const options = new Map<string, readonly string[]>();
  const words = line.split(/\s+/).filter((word) => word !== '');
  if (words[0] === 'ipvsadm') words.shift();
  while (words.length > 0) {
    const word = words.shift() ?? '';
    const { rule, rest } = readName(word, words, where);
    const name = rule.short ?? rule.long;
    if (options.has(name)) throw new InvalidArgumentError(`${where}: ${name}`, word, 'is given twice');
    options.set(name, takeValues(rule, rest, words, `${where}: ${name}`));
  }
  return options;
}

/** The rule of a word, and the value that is attached to it. Of `-At` the rest is put back as `-t`. */
function readName(word: string, words: string[], where: string): { rule: OptionRule; rest?: string } {
  const equals = word.startsWith('--') ? word.indexOf('=') : -1;
  const name = word.startsWith('--') ? (equals < 0 ? word : word.slice(0, equals)) : word.slice(0, 2);
  const unmodelled = UNMODELLED.get(name);
  if (unmodelled !== undefined) throw new UnsupportedError(`${where}: ${name}: ${unmodelled} is not supported, only masquerading (-m)`);
  const rule = RULES.find(({ short, long }) => short === name || long === name);
  if (rule === undefined) throw new InvalidArgumentError(where, word, 'is not an option that a table has');
  const attached = word.startsWith('--') ? (equals < 0 ? '' : word.slice(equals + 1)) : word.slice(2);
  if (attached === '') return { rule };
  if (rule.value !== 'none') return { rule, rest: attached };
  if (word.startsWith('--')) throw new InvalidArgumentError(`${where}: ${name}`, attached, 'is a value, and this option takes none');
  words.unshift(`-${attached}`);
  return { rule };
}

const wanted: Readonly<Record<OptionRule['value'], readonly [least: number, most: number]>> = {
  none: [0, 0],
  one: [1, 1],
  optional: [0, 1],
  three: [3, 3],
};

function takeValues(rule: OptionRule, attached: string | undefined, words: string[], path: string): string[] {
  const [least, most] = wanted[rule.value];
  const values = attached === undefined ? [] : [attached];
  while (values.length < most && words[0] !== undefined && !words[0].startsWith('-')) values.push(words.shift() ?? '');
  if (values.length < least)
    throw new InvalidArgumentError(path, words[0] ?? '', `is not a value; ${least === 1 ? 'one is' : `${least} are`} needed`);
  return values;
}
