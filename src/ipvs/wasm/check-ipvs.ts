// The self-check of a namespace: walks index, entries, timers, services and servers and says what does not hold. For tests, after every mutation.
import {
  CACHE_MEMBERS,
  CACHE_NEXT,
  CACHE_SERVER,
  CONN_CLASS,
  CONN_CLIENT_TUPLE,
  CONN_CONTROL,
  CONN_EXPIRES_AT,
  CONN_FLAG_ACTIVE,
  CONN_FLAG_ASIDE,
  CONN_FLAGS,
  CONN_REFERENCE_SERVER,
  CONN_SEQUENCE,
  CONN_SERVER,
  CONN_TIMER,
  FAMILY_BUCKET_MASK,
  FAMILY_BUCKETS,
  FAMILY_FREE,
  FAMILY_FREE_COUNT,
  FAMILY_SERVICE_COUNT,
  FAMILY_SERVICE_MASK,
  FAMILY_SERVICES,
  IPVS_BUCKET_ENTRIES,
  IPVS_BUCKET_PASSED,
  IPVS_BUCKET_SIZE,
  IPVS_BUCKET_SLOTS,
  IPVS_BUCKET_TAGS,
  NAMESPACE_CACHE,
  NAMESPACE_CACHE_MASK,
  NAMESPACE_TIMER_COUNT,
  NAMESPACE_TIMERS,
  NAMESPACE_UNRESERVED,
  SERVER_ACTIVE,
  SERVER_REFERENCES,
  SERVER_SIZE,
  SERVER_TOTAL,
  SERVICE_ADDRESS_SIZE,
  SERVICE_NEXT,
  TIMER_AT,
  TIMER_CHILDREN,
  TIMER_CONN,
  TIMER_SIZE,
  TIMER_TEMPLATE,
  TIMER_V6,
} from '../../../assembly/shared/ipvs-layout.ts';
import { ADDRESS_V4, ADDRESS_V6, CLASS_NONE } from '../../../assembly/shared/layout.ts';
import type { Family } from '../../address.ts';
import { CoreError } from '../../errors.ts';
import { type Entry, entriesOf, isTemplate } from './connections.ts';
import type { IpvsParts } from './engine.ts';
import type { NamespaceMemory } from './namespace.ts';
import type { Services } from './services.ts';

/** @throws CoreError that names the first invariant that does not hold. */
export function checkIpvs({ namespace, services }: IpvsParts): void {
  expect(namespace.get(NAMESPACE_UNRESERVED) === 0, 'packets found no room reserved');
  checkTimers(namespace);
  checkCounters(namespace, services);
  for (const family of ['IPv4', 'IPv6'] as const) {
    checkFreeEntries(namespace, family);
    checkIndex(namespace, family);
    checkServices(namespace, services, family);
  }
}

/** Every entry has one timer, none looks at its connection after it expires, and none stands before an earlier one. */
function checkTimers(namespace: NamespaceMemory): void {
  const { data } = namespace.memory;
  const entries = [...entriesOf(namespace)];
  const count = namespace.get(NAMESPACE_TIMER_COUNT);
  expect(count === entries.length, `${count} timers for ${entries.length} entries`);
  const timerAt = (slot: number): number => namespace.get(NAMESPACE_TIMERS) + slot * TIMER_SIZE;
  for (const entry of entries) {
    const slot = word(namespace, entry.address + CONN_TIMER) - 1;
    const reference = word(namespace, timerAt(slot) + TIMER_CONN);
    const marks = (isTemplate(namespace, entry) ? TIMER_TEMPLATE : 0) | (entry.family === 'IPv6' ? TIMER_V6 : 0);
    expect(slot < count && reference === (entry.address | marks) >>> 0, `the timer of entry ${entry.address} is another one's`);
    const at = data.getFloat64(timerAt(slot) + TIMER_AT, true);
    expect(at <= data.getFloat64(entry.address + CONN_EXPIRES_AT, true), `the timer of entry ${entry.address} comes too late`);
  }
  for (let slot = 1; slot < count; slot++) {
    const parent = data.getFloat64(timerAt(Math.floor((slot - 1) / TIMER_CHILDREN)) + TIMER_AT, true);
    expect(parent <= data.getFloat64(timerAt(slot) + TIMER_AT, true), `timer ${slot} is before the one above it`);
  }
}

/** What servers and templates count is what the entries say. */
function checkCounters(namespace: NamespaceMemory, services: Services): void {
  const counted = new Map<number, { total: number; active: number; references: number }>();
  const controlled = new Map<number, number>();
  const of = (server: number) => {
    const known = counted.get(server) ?? { total: 0, active: 0, references: 0 };
    counted.set(server, known);
    return known;
  };
  const templates: Entry[] = [];
  for (const entry of entriesOf(namespace)) {
    const server = of(word(namespace, entry.address + CONN_SERVER));
    server.references++;
    if (isTemplate(namespace, entry)) {
      templates.push(entry);
      continue;
    }
    server.total++;
    if (((namespace.memory.bytes[entry.address + CONN_FLAGS] ?? 0) & CONN_FLAG_ACTIVE) !== 0) server.active++;
    const control = word(namespace, entry.address + CONN_CONTROL);
    controlled.set(control, (controlled.get(control) ?? 0) + 1);
  }
  for (const { address } of templates) {
    const count = word(namespace, address + CONN_CONTROL);
    expect(
      count === (controlled.get(address) ?? 0),
      `template ${address} says it controls ${count}, it is ${controlled.get(address) ?? 0}`,
    );
  }
  for (const server of cachedServers(namespace)) of(server).references++;
  for (const record of serverRecords(services)) {
    const { total, active, references } = of(record);
    const said = [SERVER_TOTAL, SERVER_ACTIVE, SERVER_REFERENCES].map((field) => word(namespace, record + field));
    expect(
      said[0] === total && said[1] === active && said[2] === references,
      `the server at ${record} counts ${said.join(', ')} (total, active, references), it is ${total}, ${active}, ${references}`,
    );
    counted.delete(record);
  }
  for (const [record, { references }] of counted) expect(references === 0, `${references} entries refer to no server at ${record}`);
}

function* cachedServers(namespace: NamespaceMemory): IterableIterator<number> {
  const chains = namespace.get(NAMESPACE_CACHE);
  if (chains === 0) return;
  for (let number = 0; number <= namespace.get(NAMESPACE_CACHE_MASK); number++) {
    for (let node = word(namespace, chains + number * 4); node !== 0; node = word(namespace, node + CACHE_NEXT)) {
      const server = word(namespace, node + CACHE_SERVER);
      if (server !== 0) yield server;
      for (let member = word(namespace, node + CACHE_MEMBERS); member !== 0; member = word(namespace, member + CACHE_NEXT))
        yield word(namespace, member + CACHE_SERVER);
    }
  }
}

function checkFreeEntries(namespace: NamespaceMemory, family: Family): void {
  const blocks = namespace.entryBlocks.filter((block) => block.family === family);
  const all = blocks.reduce((sum, { count }) => sum + count, 0);
  const used = [...entriesOf(namespace)].filter((entry) => entry.family === family).length;
  let free = 0;
  for (let next = namespace.getFamily(family, FAMILY_FREE); next !== 0; next = word(namespace, next + CONN_CONTROL)) {
    expect(free++ < all, 'the list of free entries does not end');
    expect(namespace.memory.bytes[next + CONN_CLASS] === CLASS_NONE, `entry ${next} is free and in use`);
  }
  const said = namespace.getFamily(family, FAMILY_FREE_COUNT);
  expect(free === said && free + used === all, `${family}: ${free} entries are free (said: ${said}), ${used} in use, ${all} there are`);
}

/** Every tuple of an entry in use is found from its home bucket, newer ones first, and nothing else stands in the index. */
function checkIndex(namespace: NamespaceMemory, family: Family): void {
  const passed = new Map<number, number>();
  const places = new Map<string, { sequence: number; place: number }[]>();
  let references = 0;
  for (const entry of entriesOf(namespace)) {
    if (entry.family !== family || ((namespace.memory.bytes[entry.address + CONN_FLAGS] ?? 0) & CONN_FLAG_ASIDE) !== 0) continue;
    const size = family === 'IPv4' ? 12 : 36;
    const directions = isTemplate(namespace, entry) ? [0] : [0, CONN_REFERENCE_SERVER];
    for (const direction of directions) {
      const tuple = entry.address + CONN_CLIENT_TUPLE + (direction === 0 ? 0 : size);
      const place = findPlace(namespace, entry, tuple, (entry.address | direction) >>> 0, passed);
      const ofClass = namespace.memory.bytes[entry.address + CONN_CLASS];
      const key = `${direction} ${ofClass} ${namespace.memory.bytes.subarray(tuple, tuple + size).join()}`;
      const sequence = namespace.memory.data.getFloat64(entry.address + CONN_SEQUENCE, true);
      places.set(key, [...(places.get(key) ?? []), { sequence, place }]);
      references++;
    }
  }
  for (const [key, same] of places) {
    const byPlace = same.toSorted((a, b) => a.place - b.place);
    const isNewestFirst = byPlace.every(({ sequence }, index) => index === 0 || sequence < (byPlace[index - 1]?.sequence ?? 0));
    expect(isNewestFirst, `of the entries with tuple ${key} an older one is found first`);
  }
  let tags = 0;
  for (let number = 0; number <= namespace.getFamily(family, FAMILY_BUCKET_MASK); number++) {
    const bucket = namespace.getFamily(family, FAMILY_BUCKETS) + number * IPVS_BUCKET_SIZE;
    for (let slot = 0; slot < IPVS_BUCKET_SLOTS; slot++) if (word(namespace, bucket + IPVS_BUCKET_TAGS + slot * 4) !== 0) tags++;
    const noted = word(namespace, bucket + IPVS_BUCKET_PASSED);
    expect(noted === (passed.get(bucket) ?? 0), `bucket ${number} says ${noted} tuples passed it, ${passed.get(bucket) ?? 0} did`);
  }
  expect(tags === references, `the index of ${family} holds ${tags} tuples, the entries have ${references}`);
}

/** How many slots a search sees before a reference, noting the buckets it passes. */
function findPlace(
  namespace: NamespaceMemory,
  { address, family }: Entry,
  tuple: number,
  reference: number,
  passed: Map<number, number>,
): number {
  const ofClass = namespace.memory.bytes[address + CONN_CLASS] ?? 0;
  const first = namespace.getFamily(family, FAMILY_BUCKETS);
  const count = namespace.getFamily(family, FAMILY_BUCKET_MASK) + 1;
  const home = (namespace.core.homeBucket(family, namespace.address, tuple, ofClass) - first) / IPVS_BUCKET_SIZE;
  for (let step = 0; step < count; step++) {
    const bucket = first + ((home + step) % count) * IPVS_BUCKET_SIZE;
    for (let slot = 0; slot < IPVS_BUCKET_SLOTS; slot++) {
      const isTaken = word(namespace, bucket + IPVS_BUCKET_TAGS + slot * 4) !== 0;
      if (isTaken && word(namespace, bucket + IPVS_BUCKET_ENTRIES + slot * 4) === reference) return step * IPVS_BUCKET_SLOTS + slot;
    }
    passed.set(bucket, (passed.get(bucket) ?? 0) + 1);
  }
  throw new CoreError(`ipvs: reference ${reference} is not in the index`);
}

function checkServices(namespace: NamespaceMemory, services: Services, family: Family): void {
  const addressSize = family === 'IPv4' ? ADDRESS_V4 : ADDRESS_V6;
  const expected = new Set([...services.all()].filter((service) => word(namespace, service + SERVICE_ADDRESS_SIZE) === addressSize));
  expect(expected.size === namespace.getFamily(family, FAMILY_SERVICE_COUNT), `the count of ${family} services is wrong`);
  for (let number = 0; number <= namespace.getFamily(family, FAMILY_SERVICE_MASK); number++) {
    const head = namespace.getFamily(family, FAMILY_SERVICES) + number * 4;
    for (let record = word(namespace, head); record !== 0; record = word(namespace, record + SERVICE_NEXT))
      expect(expected.delete(record), `a chain of ${family} holds ${record}, which is no service or stands there twice`);
  }
  expect(expected.size === 0, `${expected.size} services of ${family} are in no chain`);
  const records = serverRecords(services);
  expect(new Set(records).size === records.length, 'a server stands in two lists, or twice in one');
  expect(records.length * SERVER_SIZE === services.servers.usedBytes, 'a server is in no list and not aside');
}

/** Those in lists, and those kept aside. */
function serverRecords(services: Services): number[] {
  return [...Array.from(services.all(), (service) => services.serversOf(service)).flat(), ...services.servers.aside()];
}

function word({ memory }: NamespaceMemory, address: number): number {
  return memory.words[address / 4] ?? 0;
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new CoreError(`ipvs: ${otherwise}`);
}
