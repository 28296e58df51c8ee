// A network with its processes and one variant's rules in force: what a test loads, listens on and opens connections through.
import type { Family } from '../../src/address.ts';
import type { Rendered } from '../../src/dataplane-types.ts';
import { AgentProcess } from './agent-process.ts';
import { Network } from './network.ts';
import type { Variant } from './variant.ts';
import { type Attempt, type Listener, type Observation, PLACES, type Place } from './wire.ts';

const FIRST_PORT = 20_000;
const LAST_PORT = 59_999;

/** Source ports in turn, across all loads: neither conntrack nor a socket must ever meet one of an older connection. */
export class SourcePorts {
  #last = LAST_PORT;

  next(taken: ReadonlySet<number>): number {
    do this.#last = this.#last === LAST_PORT ? FIRST_PORT : this.#last + 1;
    while (taken.has(this.#last));
    return this.#last;
  }
}

export class Testbed {
  readonly variant: Variant;
  readonly network: Network;
  readonly ports = new SourcePorts();
  readonly #agents: ReadonlyMap<Place, AgentProcess>;

  constructor(variant: Variant) {
    this.variant = variant;
    this.network = new Network(variant.name.replace(/[^a-z]/g, ''));
    this.#agents = new Map(PLACES.map((place) => [place, new AgentProcess(place, this.network.namespace(place))]));
  }

  /** The node becomes one with exactly these rules and no memory of connections or clients. @throws Error when a tool refuses its input. */
  load(rendered: readonly Rendered[]): void {
    for (const [tool, text] of Object.entries(this.variant.emptied)) this.#feed(tool as Rendered['tool'], text);
    this.network.setSysctls('node', { 'net.ipv4.conf.all.route_localnet': 0 });
    for (const { tool, text } of rendered) {
      if (tool === 'sysctl') this.network.setSysctls('node', parseSysctls(text));
      else this.#feed(tool, text);
    }
    for (const family of ['ipv4', 'ipv6']) this.network.run('node', 'conntrack', ['-F', '-f', family]);
  }

  /** What the variant's tool prints back; undefined: it has none. */
  saved(family: Family): string | undefined {
    const command = this.variant.save?.[family];
    return command === undefined ? undefined : this.network.run('node', command, []);
  }

  /** Exactly these addresses answer, each in its namespace. */
  async listen(listeners: readonly Listener[]): Promise<void> {
    for (const place of PLACES) {
      await this.#agent(place).listen(listeners.filter(({ address }) => this.network.placeOf(address) === place));
    }
  }

  /** Opens connections from wherever their sources live; one observation for each, in order. */
  async connect(attempts: readonly Attempt[]): Promise<readonly Observation[]> {
    const observations: Observation[] = [];
    const ofPlace = (place: Place): number[] =>
      attempts.flatMap(({ source }, index) => (this.network.placeOf(source) === place ? [index] : []));
    await Promise.all(
      PLACES.map(async (place) => {
        const indexes = ofPlace(place);
        const own = indexes.flatMap((index) => attempts[index] ?? []);
        for (const [position, observation] of (await this.#agent(place).connect(own)).entries()) {
          observations[indexes[position] ?? 0] = observation;
        }
      }),
    );
    return observations;
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents.values()) agent[Symbol.dispose]();
    this.network[Symbol.dispose]();
  }

  #feed(tool: Rendered['tool'], text: string): void {
    const [command, ...args] = this.variant.tools[tool] ?? [];
    if (command === undefined) throw new Error(`${this.variant.name} has no use for input of ${tool}`);
    this.network.run('node', command, args, text);
  }

  #agent(place: Place): AgentProcess {
    const agent = this.#agents.get(place);
    if (agent === undefined) throw new Error(`no process in ${place}`);
    return agent;
  }
}

/** `name = value` a line, as `sysctl -p` reads it; that tool is often not there. */
function parseSysctls(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.includes('='));
  return Object.fromEntries(lines.map((line) => line.split('=').map((part) => part.trim()) as [string, string]));
}
