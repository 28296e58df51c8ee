// The virtual services of a family in IPVS mode: a record each, found through one set by address, protocol and port.
// A changed service gets a new record under its number; the set is written anew only when addresses come or go.
import { ROOT_VIRTUAL_SERVICES, VS_CURSOR } from '../../../assembly/shared/layout.ts';
import { formatEndpoint } from '../../address.ts';
import type { Change } from '../../program/change.ts';
import type { VirtualService } from '../../program/virtual-service.ts';
import { type Block, NO_BLOCK, type Records, referenceTo } from './records.ts';
import { type SlotContent, writeSet } from './set-records.ts';
import { TableImage } from './table-image.ts';
import { virtualServiceKey, writeVirtualService } from './virtual-service-records.ts';

interface ServiceRecord {
  readonly service: VirtualService;
  readonly number: number;
  readonly block: Block;
  /** `address:port`, newest first as in the record. */
  readonly destinations: readonly string[];
}

/** A change being written. */
interface Draft {
  readonly written: Map<string, ServiceRecord>;
  readonly gone: Set<string>;
  set: Block | undefined;
  hasDoubles: boolean;
}

export class VirtualServiceTables {
  readonly #records: Records;
  readonly #servicePortId: (name: string) => number;
  readonly #image = new TableImage();
  readonly #services = new Map<string, ServiceRecord>();
  #set: Block = NO_BLOCK;
  /** Two services have the same address, protocol and port: the first one counts, and any change is worked out from all of them. */
  #hasDoubles = false;
  #draft: Draft | undefined;

  constructor(records: Records, servicePortId: (name: string) => number) {
    this.#records = records;
    this.#servicePortId = servicePortId;
  }

  /** `all`: the services of the new Program, asked for only when they are needed. */
  write({ removed, added }: Change<VirtualService>, all: () => readonly VirtualService[]): void {
    if (removed.length + added.length === 0) return;
    const isSingle = !this.#hasDoubles && this.#areSingle(removed, added);
    const draft: Draft = { written: new Map(), gone: new Set(), set: undefined, hasDoubles: false };
    this.#draft = draft;
    const services = isSingle ? added : all();
    for (const service of services) {
      const key = keyOf(service);
      if (!draft.written.has(key)) draft.written.set(key, this.#write(service, this.#services.get(key)));
    }
    draft.hasDoubles = draft.written.size < services.length;
    for (const key of isSingle ? removed.map(keyOf) : this.#services.keys()) {
      const record = this.#services.get(key);
      if (record === undefined) continue;
      this.#records.release(record.block);
      if (draft.written.has(key)) continue;
      this.#records.giveNumber(record.number);
      draft.gone.add(key);
    }
    const hasNewKey = [...draft.written.keys()].some((key) => !this.#services.has(key));
    if (draft.gone.size > 0 || hasNewKey) this.#writeSet(draft);
  }

  commit(): void {
    if (this.#draft === undefined) return;
    const { written, gone, set, hasDoubles } = this.#draft;
    for (const key of gone) this.#services.delete(key);
    for (const [key, record] of written) this.#services.set(key, record);
    this.#set = set ?? this.#set;
    this.#hasDoubles = hasDoubles;
    this.#draft = undefined;
  }

  abort(): void {
    this.#draft = undefined;
  }

  /** Where the round of a service stands: the destination chosen last, as `address:port`. */
  lastDestination(key: string): string | undefined {
    const record = this.#services.get(key);
    if (record === undefined) return undefined;
    const cursor = this.#records.memory.words[(record.block.address + VS_CURSOR) / 4] ?? 0;
    return record.destinations[cursor - 1];
  }

  all(): IterableIterator<ServiceRecord> {
    return this.#services.values();
  }

  /** The set that finds them. */
  get setBlock(): Block {
    return this.#set;
  }

  #areSingle(removed: readonly VirtualService[], added: readonly VirtualService[]): boolean {
    const leaving = new Set(removed.map(keyOf));
    const coming = new Set<string>();
    for (const service of added) {
      const key = keyOf(service);
      if (coming.has(key) || (this.#services.has(key) && !leaving.has(key))) return false;
      coming.add(key);
    }
    return true;
  }

  #write(service: VirtualService, before: ServiceRecord | undefined): ServiceRecord {
    const newestFirst = [...service.destinations].reverse();
    const destinations = newestFirst.map(({ address, port }) => formatEndpoint(address, port));
    const last = before === undefined ? undefined : this.lastDestination(keyOf(service));
    this.#image.clear();
    const at = writeVirtualService(this.#image, service, newestFirst, {
      cursor: last === undefined ? 0 : destinations.indexOf(last) + 1,
      servicePort: this.#servicePortId(service.servicePort),
    });
    const block = this.#records.place(this.#image);
    const number = before?.number ?? this.#records.takeNumber();
    this.#records.setRecord(number, block.address + at);
    return { service, number, block, destinations };
  }

  #writeSet(draft: Draft): void {
    const records = new Map(this.#services);
    for (const key of draft.gone) records.delete(key);
    for (const [key, record] of draft.written) records.set(key, record);
    const contents = Array.from(records.values(), slotOf);
    this.#records.release(this.#set);
    draft.set = NO_BLOCK;
    if (contents.length > 0) {
      this.#image.clear();
      const at = writeSet(this.#image, 'virtual services', ['address', 'protocol', 'port'], contents);
      draft.set = this.#records.place(this.#image);
      this.#records.setField(ROOT_VIRTUAL_SERVICES, draft.set.address + at);
    } else {
      this.#records.setField(ROOT_VIRTUAL_SERVICES, 0);
    }
  }
}

function keyOf({ protocol, address, port }: VirtualService): string {
  return virtualServiceKey(protocol, address, port);
}

function slotOf({ service, number }: ServiceRecord): SlotContent {
  return { key: [service.address, service.protocol.toLowerCase(), service.port], servicePort: 0, value: referenceTo(number) };
}
