// What was configured: services and their servers in the order in which they were added. Refuses commands that do not fit, and is what `save` prints.
import { InvalidArgumentError } from '../errors.ts';
import type { Command } from './commands.ts';
import type { ServerKey, ServerSettings, ServiceKey, ServiceSettings } from './keys.ts';
import type { FieldName } from './references.ts';

export interface ServerEntry {
  readonly key: ServerKey;
  readonly settings: ServerSettings;
}

export interface ServiceEntry {
  readonly key: ServiceKey;
  readonly settings: ServiceSettings;
  /** By id, oldest first. */
  readonly servers: Map<string, ServerEntry>;
}

type ServerCommand = Extract<Command, { readonly server: ServerKey }>;

export class Registry {
  /** By id. */
  readonly #services: Map<string, ServiceEntry>;

  constructor(services: Iterable<ServiceEntry> = []) {
    this.#services = new Map(Array.from(services, (entry) => [entry.key.id, { ...entry, servers: new Map(entry.servers) }]));
  }

  /** One that changes on its own. */
  copy(): Registry {
    return new Registry(this.services());
  }

  services(): IterableIterator<ServiceEntry> {
    return this.#services.values();
  }

  /** @throws InvalidArgumentError when it does not exist */
  service({ id }: ServiceKey, nameOf: FieldName): ServiceEntry {
    const entry = this.#services.get(id);
    if (entry === undefined) throw new InvalidArgumentError(nameOf('service'), id, 'does not exist');
    return entry;
  }

  /** Follows a command. @throws InvalidArgumentError for adding what exists, or naming what does not; nothing changes then */
  apply(command: Command, nameOf: FieldName): void {
    switch (command.verb) {
      case 'setTimeouts':
        break;
      case 'clear':
        this.#services.clear();
        break;
      case 'addService': {
        const { service: key, settings } = command;
        if (this.#services.has(key.id)) throw new InvalidArgumentError(nameOf('service'), key.id, 'exists already');
        this.#services.set(key.id, { key, settings, servers: new Map() });
        break;
      }
      case 'editService': {
        const entry = this.service(command.service, nameOf);
        this.#services.set(entry.key.id, { ...entry, settings: command.settings });
        break;
      }
      case 'deleteService':
        this.#services.delete(this.service(command.service, nameOf).key.id);
        break;
      default:
        this.#applyToServers(command, nameOf);
    }
  }

  #applyToServers(command: ServerCommand, nameOf: FieldName): void {
    const { key: service, servers } = this.service(command.service, nameOf);
    const { server: key } = command;
    const isKnown = servers.has(key.id);
    if (command.verb === 'addServer' && isKnown)
      throw new InvalidArgumentError(nameOf('server'), key.id, `exists already in ${service.id}`);
    if (command.verb !== 'addServer' && !isKnown)
      throw new InvalidArgumentError(nameOf('server'), key.id, `does not exist in ${service.id}`);
    if (command.verb === 'deleteServer') servers.delete(key.id);
    else servers.set(key.id, { key, settings: command.settings });
  }
}
