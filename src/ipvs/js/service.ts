// A virtual service as the TypeScript engine keeps it: settings, the list of servers, and the scheduler bound to both.
import type { ServiceKey, ServiceSettings } from '../keys.ts';
import type { Namespace } from './namespace.ts';
import type { Scheduler, ServiceView } from './scheduler.ts';
import { bindScheduler } from './schedulers.ts';
import type { Server } from './server.ts';

export class Service implements ServiceView {
  readonly key: ServiceKey;
  readonly servers: Server[] = [];
  settings: ServiceSettings;
  scheduler: Scheduler;
  /** The host's own number. */
  tag = 0;
  readonly #namespace: Namespace;

  constructor(key: ServiceKey, settings: ServiceSettings, namespace: Namespace) {
    this.key = key;
    this.settings = settings;
    this.#namespace = namespace;
    this.scheduler = bindScheduler(this, namespace);
  }

  /** The scheduler keeps its state unless it becomes another one. */
  edit(settings: ServiceSettings): void {
    const isSame = settings.scheduler === this.settings.scheduler;
    this.settings = settings;
    if (isSame) return;
    this.scheduler.unbind?.();
    this.scheduler = bindScheduler(this, this.#namespace);
  }

  add(server: Server): void {
    server.isAvailable = true;
    this.servers.unshift(server);
    this.scheduler.serverAdded?.();
  }

  remove(server: Server): void {
    const index = this.servers.indexOf(server);
    server.isAvailable = false;
    this.servers.splice(index, 1);
    this.scheduler.serverRemoved?.(index);
  }

  find(id: string): Server | undefined {
    return this.servers.find((server) => server.key.id === id);
  }
}
