// The verbs that IPVS hears when a Program changes: those of kube-proxy, graceful termination included, and no more than the change needs.
import { expect, test } from 'vitest';
import { IpvsSync, type SyncedIpvs } from '../../src/engine/ipvs-sync.ts';
import { weighted } from '../../src/ipvs/server-list.ts';
import type { ServerState } from '../../src/ipvs/types.ts';
import type { VirtualService } from '../../src/program/virtual-service.ts';

/** Writes down what it is told, with the weight of servers, and says of them what the test wants. */
class Recorder implements SyncedIpvs {
  readonly verbs: string[] = [];
  readonly busy = new Set<string>();
  readonly #servers = new Map<string, ServerState>();

  readonly advance: SyncedIpvs['advance'] = (now) => {
    if (now % 1000 !== 0) throw new Error(`a look at ${now}`);
  };
  readonly addService: SyncedIpvs['addService'] = (service, { scheduler }, servers) => {
    this.#note(`add ${service.id} ${scheduler}`);
    if (servers === undefined) return;
    const { list, first, count } = servers;
    for (let server = first; server < first + count; server++) this.addServer(service, list.key(server), weighted(list.weight(server)));
  };
  readonly editService: SyncedIpvs['editService'] = ({ id }, { scheduler }) => this.#note(`edit ${id} ${scheduler}`);
  readonly setTag: SyncedIpvs['setTag'] = ({ id }, tag) => this.#note(`tag ${id} ${tag}`);
  readonly deleteService: SyncedIpvs['deleteService'] = ({ id }) => this.#note(`delete ${id}`);
  readonly addServer: SyncedIpvs['addServer'] = (_, { id, address, port }, { weight }) => {
    this.#servers.set(id, { address: address.text, port, weight, active: 0, inactive: 0 });
    this.#note(`add ${id} ${weight}`);
  };
  readonly editServer: SyncedIpvs['editServer'] = (_, { id }, { weight }) => this.#note(`edit ${id} ${weight}`);
  readonly deleteServer: SyncedIpvs['deleteServer'] = (_, { id }) => {
    this.#servers.delete(id);
    this.#note(`delete ${id}`);
  };
  readonly servers: SyncedIpvs['servers'] = () =>
    Array.from(this.#servers, ([id, state]) => (this.busy.has(id) ? { ...state, inactive: 1 } : state));
  readonly setTimeouts: SyncedIpvs['setTimeouts'] = ({ tcp, tcpfin, udp }) => this.#note(`set ${tcp} ${tcpfin} ${udp}`);

  /** What it heard since the last time. */
  take(): string[] {
    return this.verbs.splice(0);
  }

  #note(verb: string): void {
    this.verbs.push(verb);
  }
}

function virtualService(servers: readonly string[], parts: Partial<VirtualService> = {}): VirtualService {
  const destinations = servers.map((name) => ({ address: `10.0.0.${name}`, port: 80, weight: 1 }));
  return {
    protocol: 'TCP',
    address: '10.96.0.1',
    port: 80,
    scheduler: 'rr',
    flags: [],
    destinations,
    servicePort: 'default/web',
    ...parts,
  };
}

/** Loads one list of services after another, as Programs would. */
function start() {
  const ipvs = new Recorder();
  const sync = new IpvsSync(ipvs, (name) => name.length);
  let before: readonly VirtualService[] = [];
  const load = (services: readonly VirtualService[], now = 0): string[] => {
    const removed = before.filter((service) => !services.includes(service));
    const added = services.filter((service) => !before.includes(service));
    sync.load(
      sync.plan('IPv4', { removed, added }, () => services),
      undefined,
      now,
    );
    before = services;
    return ipvs.take();
  };
  return { ipvs, sync, load };
}

const KEY = 'TCP 10.96.0.1:80';

test('servers are added in the order of the Program, before others are removed', () => {
  const { load } = start();
  expect(load([virtualService(['1', '2'])])).toEqual([`add ${KEY} rr`, 'add 10.0.0.1:80 1', 'add 10.0.0.2:80 1']);
  expect(load([virtualService(['2', '3', '4'])])).toEqual(['add 10.0.0.3:80 1', 'add 10.0.0.4:80 1', 'delete 10.0.0.1:80']);
});

test('a service that did not change is not touched; another scheduler is an edit', () => {
  const { load } = start();
  const same = virtualService(['1']);
  const other = virtualService(['2'], { port: 81 });
  load([same, other]);
  expect(load([same, virtualService(['2'], { port: 81, scheduler: 'lc' })])).toEqual(['edit TCP 10.96.0.1:81 lc']);
  expect(load([virtualService(['1'])])).toEqual(['delete TCP 10.96.0.1:81']);
});

test('a service that another ServicePort has takes its tag', () => {
  const { load } = start();
  load([virtualService(['1'])]);
  expect(load([virtualService(['1'], { servicePort: 'default/other' })])).toEqual([`tag ${KEY} 13`]);
});

test('a removed TCP server with connections drains, and goes at the first look that finds it idle', () => {
  const { ipvs, sync, load } = start();
  load([virtualService(['1', '2'])]);
  ipvs.busy.add('10.0.0.1:80');
  expect(load([virtualService(['2'])], 10_000)).toEqual(['edit 10.0.0.1:80 0']);
  sync.advance(60_000);
  expect(ipvs.take()).toEqual([]);
  ipvs.busy.clear();
  sync.advance(119_000);
  expect(ipvs.take()).toEqual([]);
  sync.advance(120_000);
  expect(ipvs.take()).toEqual(['delete 10.0.0.1:80']);
});

test('all looks that were due happen, and none is missed after a long pause', () => {
  const { ipvs, sync, load } = start();
  load([virtualService(['1', '2'])]);
  sync.advance(1_000_000);
  ipvs.busy.add('10.0.0.1:80');
  load([virtualService(['2'])], 1_000_000);
  ipvs.busy.clear();
  sync.advance(1_019_000);
  expect(ipvs.take()).toEqual([]);
  sync.advance(1_020_000);
  expect(ipvs.take()).toEqual(['delete 10.0.0.1:80']);
});

test('a draining server that is wanted again begins anew', () => {
  const { ipvs, load } = start();
  load([virtualService(['1', '2'])]);
  ipvs.busy.add('10.0.0.1:80');
  load([virtualService(['2'])]);
  expect(load([virtualService(['1', '2'])])).toEqual(['delete 10.0.0.1:80', 'add 10.0.0.1:80 1']);
});

test('UDP and SCTP servers go at once, and so does a service with all its servers', () => {
  const { ipvs, sync, load } = start();
  ipvs.busy.add('10.0.0.1:80');
  for (const protocol of ['UDP', 'SCTP'] as const) {
    load([virtualService(['1', '2'], { protocol })]);
    expect(load([virtualService(['2'], { protocol })])).toEqual(['delete 10.0.0.1:80']);
  }
  load([virtualService(['1', '2'])]);
  load([virtualService(['2'])]);
  expect(load([])).toEqual([`delete ${KEY}`]);
  sync.advance(600_000);
  expect(ipvs.take()).toEqual([]);
});

test('of two services on one address and port the first stands, and the second takes its place', () => {
  const { load } = start();
  const [first, second] = [virtualService(['1']), virtualService(['2'])];
  expect(load([first, second])).toEqual([`add ${KEY} rr`, 'add 10.0.0.1:80 1']);
  expect(load([second])).toEqual(['add 10.0.0.2:80 1', 'delete 10.0.0.1:80']);
  expect(load([second, first])).toEqual([]);
});

test('a plan that makes no sense is refused before anything moves', () => {
  const { ipvs, load } = start();
  expect(() => load([virtualService(['1']), virtualService(['2'], { port: 81, scheduler: 'fastest' })])).toThrow(
    /virtual service TCP 10.96.0.1:81: options.scheduler "fastest" is not one of/,
  );
  expect(() => load([virtualService(['1'], { address: 'fd00::1' })])).toThrow(/"fd00::1" is not an IPv4 address/);
  expect(ipvs.take()).toEqual([]);
});

test('timeouts are set once, and again when they change', () => {
  const ipvs = new Recorder();
  const sync = new IpvsSync(ipvs, (name) => name.length);
  const nothing = sync.plan('IPv4', { removed: [], added: [] }, () => []);
  const timeouts = { tcp: 900, tcpfin: 0, udp: 0 };
  sync.load(nothing, timeouts, 0);
  sync.load(nothing, timeouts, 0);
  sync.load(nothing, { ...timeouts, udp: 30 }, 0);
  expect(ipvs.take()).toEqual(['set 900 0 0', 'set 900 0 30']);
});
