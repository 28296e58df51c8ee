// Maglev: how evenly do sh and mh share connections, and how many move when a server is added, removed or drained?
// Counts, not time: the same on every machine. docs/maglev.md holds the figures.
import { addressOf } from '../src/address.ts';
import { createIpvsSync } from '../src/ipvs/ipvs.ts';
import { foldAddress, SLOT_COUNT, slotOf } from '../src/ipvs/js/schedulers/fold.ts';
import { MH_SLOT_COUNT, mhSlotOf } from '../src/ipvs/js/schedulers/mh.ts';
import type { Ipvs, ServerRef } from '../src/ipvs/types.ts';
import { alignColumns } from './report.ts';

export const MAGLEV = 'maglev';

export const MAGLEV_SIZES: readonly number[] = [3, 10, 100, 1000];
export const MAGLEV_SMOKE_SIZES: readonly number[] = [3, 10];

/** Servers that are removed or drained one at a time, spread evenly over the list; all of them where there are fewer. */
const VICTIMS_MAX = 8;

const SERVICE = { protocol: 'TCP', address: '10.96.0.10', port: 80 } as const;
const SERVER_NETWORK = 0x0af40000; // 10.244.0.0
const SERVER_PORT = 8080;
const CLIENT_NETWORK = 0xac100000; // 172.16.0.0

interface Variant {
  readonly name: string;
  readonly scheduler: 'sh' | 'mh';
  readonly flags: readonly string[];
}

const VARIANTS: readonly Variant[] = [
  { name: 'sh', scheduler: 'sh', flags: [] },
  { name: 'sh-fallback', scheduler: 'sh', flags: ['sh-fallback'] },
  { name: 'mh', scheduler: 'mh', flags: [] },
  { name: 'mh-fallback', scheduler: 'mh', flags: ['mh-fallback'] },
];

/** Of one scheduler and number of servers. Fractions of all clients, unless it says otherwise. */
export interface Maglev {
  readonly variant: string;
  readonly servers: number;
  /** Of one server: multiples of the ideal share 1/n. */
  readonly least: number;
  readonly most: number;
  readonly deviation: number;
  /** Clients that another server serves than before: one server more (ideal 1/(n+1)), one less (1/n), one drained (1/n). */
  readonly added: number;
  readonly removed: number;
  readonly drained: number;
  /** Clients of the drained server that no server serves then (ideal 0). They are among `drained`. */
  readonly refused: number;
}

export function measureMaglev(sizes: readonly number[]): Maglev[] {
  return sizes.flatMap((size) => VARIANTS.map((variant) => measure(variant, size)));
}

function measure(variant: Variant, size: number): Maglev {
  const clients = oneClientPerSlot(variant.scheduler);
  const before = choices(variant, size, clients, () => {});
  const shares = sharesOf(before, size);
  const victims = spread(size).map((index) => serverAt(index));
  const afterRemovals = victims.map((victim) => choices(variant, size, clients, (ipvs) => ipvs.deleteServer(SERVICE, victim)));
  const afterDrains = victims.map((victim) =>
    choices(variant, size, clients, (ipvs) => ipvs.editServer(SERVICE, { ...victim, weight: 0 })),
  );
  return {
    variant: variant.name,
    servers: size,
    least: Math.min(...shares),
    most: Math.max(...shares),
    deviation: Math.sqrt(mean(shares.map((share) => (share - 1) ** 2))),
    added: movedShare(
      before,
      choices(variant, size, clients, (ipvs) => ipvs.addServer(SERVICE, serverAt(size))),
    ),
    removed: mean(afterRemovals.map((after) => movedShare(before, after))),
    drained: mean(afterDrains.map((after) => movedShare(before, after))),
    refused: mean(afterDrains.map((after) => after.filter((choice) => choice === '').length / after.length)),
  };
}

/** Both schedulers look a client up in a table: with one client for each slot of it, shares are exact and not a sample. */
function oneClientPerSlot(scheduler: Variant['scheduler']): string[] {
  const slotCount = scheduler === 'sh' ? SLOT_COUNT : MH_SLOT_COUNT;
  const slotOfKey = scheduler === 'sh' ? slotOf : mhSlotOf;
  const clients = new Map<number, string>();
  for (let host = 1; clients.size < slotCount; host++) {
    const client = addressOf([CLIENT_NETWORK + host]);
    const slot = slotOfKey(foldAddress(client));
    if (!clients.has(slot)) clients.set(slot, client.text);
  }
  return [...clients.values()];
}

/** The server that each client is given after a change; an empty text where it is refused. */
function choices({ scheduler, flags }: Variant, size: number, clients: readonly string[], change: (ipvs: Ipvs) => void): string[] {
  using ipvs = createIpvsSync({ seed: 1, now: () => 0 });
  // Under rr, adding a server costs nothing; the table is filled once, when the scheduler is bound.
  ipvs.addService(SERVICE, { scheduler: 'rr' });
  for (let index = 0; index < size; index++) ipvs.addServer(SERVICE, serverAt(index));
  ipvs.editService(SERVICE, { scheduler, flags });
  change(ipvs);
  return clients.map((source) => {
    const { server } = ipvs.process({
      protocol: 'TCP',
      source,
      sourcePort: 40000,
      destination: SERVICE.address,
      destinationPort: SERVICE.port,
    });
    return server?.address ?? '';
  });
}

function serverAt(index: number): ServerRef {
  return { address: addressOf([SERVER_NETWORK + 1 + index]).text, port: SERVER_PORT };
}

function spread(size: number): number[] {
  const count = Math.min(VICTIMS_MAX, size);
  return Array.from({ length: count }, (_, index) => Math.floor(((index + 0.5) * size) / count));
}

/** Each server's share as a multiple of 1/n. */
function sharesOf(chosen: readonly string[], size: number): number[] {
  const counts = new Map<string, number>();
  for (const server of chosen) counts.set(server, (counts.get(server) ?? 0) + 1);
  return Array.from({ length: size }, (_, index) => ((counts.get(serverAt(index).address) ?? 0) * size) / chosen.length);
}

function movedShare(before: readonly string[], after: readonly string[]): number {
  return before.filter((server, index) => server !== after[index]).length / before.length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function maglevLine({ variant, servers, ...shares }: Maglev): string {
  const rounded = Object.fromEntries(Object.entries(shares).map(([name, value]) => [name, Number(value.toFixed(5))]));
  return JSON.stringify({ bench: MAGLEV, variant, size: servers, ...rounded, unit: 'share of clients; least, most, deviation: of 1/n' });
}

const HEADER = ['servers', 'scheduler', 'least', 'most', 'std dev', 'added', 'ideal', 'removed', 'ideal', 'drained', 'ideal', 'refused'];

export function maglevText(measured: readonly Maglev[]): string {
  return [
    'Maglev: how evenly do sh and mh share connections, and how many move when a server is added, removed or drained?\n',
    alignColumns([HEADER, ...measured.map(cells)], new Set([1])),
    '\nLeast, most, std dev: of a server, 1 is its fair share 1/n. Then the share of all clients that get another server, or none (refused).\n',
  ].join('\n');
}

function cells(row: Maglev): string[] {
  const { servers, variant, least, most, deviation, added, removed, drained, refused } = row;
  const multiple = (value: number) => value.toFixed(2);
  const percent = (value: number) => `${(value * 100).toFixed(2)} %`;
  const fair = percent(1 / servers);
  const shares = [percent(added), percent(1 / (servers + 1)), percent(removed), fair, percent(drained), fair, percent(refused)];
  return [servers.toLocaleString('en-US'), variant, multiple(least), multiple(most), multiple(deviation), ...shares];
}
