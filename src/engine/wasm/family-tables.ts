// All that the engine holds of one family: the tables of its Program, its connections, and the sources that its rules have seen.
import type { Family } from '../../address.ts';
import type { ConnectionTable } from './connections.ts';
import type { Core } from './core.ts';
import type { LinearMemory } from './memory.ts';
import type { NodeIpvs } from './node-ipvs.ts';
import { RecentLists } from './recent-lists.ts';
import { Sightings } from './sightings.ts';
import { ProgramTables } from './tables.ts';

/** What belongs to both families. */
export interface EngineTables {
  readonly ipvs: NodeIpvs;
  servicePortId(name: string): number;
  /** Stores the address of the root in force. */
  publish(root: number): void;
}

export class FamilyTables {
  readonly program: ProgramTables;
  readonly sightings: Sightings;
  readonly recentLists: RecentLists;
  readonly #makeConnections: () => ConnectionTable;
  #connections: ConnectionTable | undefined;

  constructor(core: Core, memory: LinearMemory, family: Family, makeConnections: () => ConnectionTable, engine: EngineTables) {
    this.#makeConnections = makeConnections;
    this.sightings = new Sightings(core, memory, family);
    this.recentLists = new RecentLists(memory, family);
    const context = {
      ipvs: engine.ipvs,
      servicePortId: engine.servicePortId,
      recentList: (name: string) => this.recentLists.at(name),
      sightingSet: (name: string, seconds: number) => this.sightings.setNumber(name, seconds),
      forgetList: (name: string) => {
        this.sightings.forgetSet(name);
        this.recentLists.forget(name);
      },
    };
    this.program = new ProgramTables(family, memory, context, engine.publish);
  }

  /** Its memory, which is most of all, is reserved when it is first asked for: many dataplanes never see a packet of one family. */
  get connections(): ConnectionTable {
    this.#connections ??= this.#makeConnections();
    return this.#connections;
  }

  /** Whoever makes room for packets reserves it then: memory that grows between two packets would take the views of it away. */
  reserveConnections(): void {
    this.#connections ??= this.#makeConnections();
  }

  get hasConnections(): boolean {
    return this.#connections !== undefined;
  }
}
