// The clients of `svcplane ipvs simulate`: a seeded population, or a CSV file with one client a line.
import { nextRandom, seedRandom } from '../../assembly/shared/random.ts';
import { addressOf, type Family, type Prefix, parseAddress, parsePrefix } from '../address.ts';
import { InputError, UsageError } from './io.ts';

/** One connection's client end. */
export interface ClientEnd {
  readonly address: string;
  readonly port: number;
}

/** Linux's net.ipv4.ip_local_port_range. */
const FIRST_PORT = 32768;
const PORT_COUNT = 28232;

/** RFC 2544 and RFC 3849: addresses for benchmarks and documentation. */
const DEFAULT_CIDRS: Readonly<Record<Family, string>> = { IPv4: '198.18.0.0/15', IPv6: '2001:db8::/32' };

/** A population of distinct addresses. The same seed gives the same clients and ports, in the same order. */
export interface Population {
  readonly seed: number;
  readonly clients: number;
  readonly connections: number;
  readonly cidrs: readonly string[];
}

/** Each connection comes from a client drawn at random; each client goes through its ports one by one, from a random one on. */
export function drawClients(population: Population, family: Family): ClientEnd[] {
  const { clients, connections, seed } = population;
  const random = new SeededRandom(seed);
  const addresses = drawAddresses(clients, cidrOf(population, family), random);
  const offsets = addresses.map(() => random.below(PORT_COUNT));
  const used = addresses.map(() => 0);
  return Array.from({ length: connections }, () => {
    const index = random.below(addresses.length);
    const usedPorts = used[index] ?? 0;
    if (usedPorts === PORT_COUNT)
      throw new UsageError(`--connections ${connections}: more than the ${PORT_COUNT} ports of one client; raise --clients ${clients}`);
    used[index] = usedPorts + 1;
    return { address: addresses[index] ?? '', port: FIRST_PORT + (((offsets[index] ?? 0) + usedPorts) % PORT_COUNT) };
  });
}

function cidrOf({ cidrs }: Population, family: Family): Prefix {
  const prefixes = cidrs.map((text) => {
    const prefix = parsePrefix(text);
    if (prefix === undefined) throw new UsageError(`--client-cidr ${text} is not a CIDR`);
    return prefix;
  });
  const found = cidrs.length === 0 ? parsePrefix(DEFAULT_CIDRS[family]) : prefixes.find((prefix) => prefix.family === family);
  if (found === undefined) throw new UsageError(`--client-cidr ${cidrs.join(', ')}: none is ${family}, and a service is`);
  return found;
}

function drawAddresses(count: number, prefix: Prefix, random: SeededRandom): string[] {
  const free = prefix.words.length * 32 - prefix.length;
  if (free < 32 && count > 2 ** free) throw new UsageError(`--clients ${count}: ${prefix.text} has ${2 ** free} addresses`);
  // Nearly all of a small network are wanted: rather shuffle it than draw until the last one is found.
  if (free < 32 && count > 2 ** free / 2)
    return shuffle(
      Array.from({ length: 2 ** free }, (_, index) => inPrefix(prefix, index)),
      random,
    ).slice(0, count);
  const drawn = new Set<string>();
  while (drawn.size < count) drawn.add(inPrefix(prefix, free < 32 ? random.below(2 ** free) : random.next(), random));
  return [...drawn];
}

/** The address whose last 32 free bits are `low`; bits above them, where a prefix leaves any, are drawn. */
function inPrefix({ words, length }: Prefix, low: number, random?: SeededRandom): string {
  const last = words.length - 1;
  return addressOf(
    words.map((word, index) => {
      const freeBits = Math.min(32, Math.max(0, (index + 1) * 32 - length));
      const mask = freeBits === 32 ? 0xffffffff : 2 ** freeBits - 1;
      const bits = index === last ? low : (random?.next() ?? 0);
      return (word | (bits & mask)) >>> 0;
    }),
  ).text;
}

function shuffle(texts: string[], random: SeededRandom): string[] {
  for (let index = texts.length - 1; index > 0; index--) {
    const other = random.below(index + 1);
    [texts[index], texts[other]] = [texts[other] ?? '', texts[index] ?? ''];
  }
  return texts;
}

class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seedRandom(seed);
  }

  next(): number {
    this.#state = nextRandom(this.#state);
    return this.#state;
  }

  /** 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor((this.next() / 0x100000000) * count);
  }
}

const COLUMNS: ReadonlyMap<string, 'address' | 'port' | 'connections'> = new Map([
  ['address', 'address'],
  ['client', 'address'],
  ['ip', 'address'],
  ['source', 'address'],
  ['port', 'port'],
  ['connections', 'connections'],
  ['count', 'connections'],
]);

/**
 * Clients from CSV: address, then port and number of connections where they are given; a header may name the columns in another order.
 * Without a port each connection takes the client's next one. @throws InputError naming file and line
 */
export function readClients(text: string, origin: string): ClientEnd[] {
  let columns: readonly string[] = ['address', 'port', 'connections'];
  const nextPort = new Map<string, number>();
  return text.split(/\r?\n/).flatMap((line, index): ClientEnd[] => {
    const where = `${origin}:${index + 1}`;
    const cells = line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
    if (line.trim() === '' || line.startsWith('#')) return [];
    if (index === 0 && cells.some((cell) => COLUMNS.has(cell.toLowerCase()))) {
      columns = cells.map((cell) => COLUMNS.get(cell.toLowerCase()) ?? '');
      if (!columns.includes('address')) throw new InputError(`${where}: the header ${line} has no column address`);
      return [];
    }
    const cell = (name: string) => cells[columns.indexOf(name)] || undefined;
    const address = parseAddress(cell('address') ?? '');
    if (address === undefined) throw new InputError(`${where}: ${JSON.stringify(cell('address') ?? '')} is not an IP address`);
    const port = readNumber(cell('port'), 'port', 1, 65535, where);
    const count = readNumber(cell('connections'), 'number of connections', 0, 1_000_000, where) ?? 1;
    if (port !== undefined && count > 1) throw new InputError(`${where}: ${count} connections from one port ${port}: leave the port out`);
    return Array.from({ length: count }, () => {
      if (port !== undefined) return { address: address.text, port };
      const used = nextPort.get(address.text) ?? 0;
      nextPort.set(address.text, used + 1);
      return { address: address.text, port: FIRST_PORT + (used % PORT_COUNT) };
    });
  });
}

function readNumber(cell: string | undefined, what: string, low: number, high: number, where: string): number | undefined {
  if (cell === undefined) return undefined;
  const value = Number(cell);
  if (/^\d+$/.test(cell) && value >= low && value <= high) return value;
  throw new InputError(`${where}: ${what} ${JSON.stringify(cell)} is not a whole number from ${low} to ${high}`);
}
