// Changes to the services of a namespace, as values: what the verbs of Ipvs and the lines of ipvsadm have in common.
import type { IpvsEngine, TimeoutSettings } from './engine.ts';
import type { ServerKey, ServerSettings, ServiceKey, ServiceSettings } from './keys.ts';

export type Command =
  | { readonly verb: 'addService' | 'editService'; readonly service: ServiceKey; readonly settings: ServiceSettings }
  | { readonly verb: 'deleteService'; readonly service: ServiceKey }
  | { readonly verb: 'clear' }
  | {
      readonly verb: 'addServer' | 'editServer';
      readonly service: ServiceKey;
      readonly server: ServerKey;
      readonly settings: ServerSettings;
    }
  | { readonly verb: 'deleteServer'; readonly service: ServiceKey; readonly server: ServerKey }
  | { readonly verb: 'setTimeouts'; readonly seconds: TimeoutSettings };

/** The same command to an engine, which takes it unchecked. */
export function perform(engine: IpvsEngine, command: Command): void {
  switch (command.verb) {
    case 'addService':
      engine.addService(command.service, command.settings);
      break;
    case 'editService':
      engine.editService(command.service, command.settings);
      break;
    case 'deleteService':
      engine.deleteService(command.service);
      break;
    case 'clear':
      engine.clear();
      break;
    case 'addServer':
      engine.addServer(command.service, command.server, command.settings);
      break;
    case 'editServer':
      engine.editServer(command.service, command.server, command.settings);
      break;
    case 'deleteServer':
      engine.deleteServer(command.service, command.server);
      break;
    case 'setTimeouts':
      engine.setTimeouts(command.seconds);
  }
}
