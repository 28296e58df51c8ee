// The question: from where to where, by which protocol, and whose dataplane in which mode decides.
import type { ServicePortView } from 'svcplane';
import type { Cluster } from 'svcplane/cluster';
import { formatEndpoint } from '../../src/address.ts';
import { nodeAddresses } from '../../src/cluster/nodes.ts';
import { Choice } from './choice.tsx';
import { ENGINES, MODES, type PlaygroundState, SCHEDULERS } from './playground-state.ts';

const ENGINE_TITLES = { auto: 'auto', wasm: 'WebAssembly', js: 'TypeScript' } as const;

export interface QuestionBarProps {
  readonly state: PlaygroundState;
  readonly update: (patch: Partial<PlaygroundState>) => void;
  readonly cluster: Cluster | undefined;
  readonly servicePorts: readonly ServicePortView[];
}

export function QuestionBar({ state, update, cluster, servicePorts }: QuestionBarProps) {
  const nodes = cluster?.objects('Node') ?? [];
  const pods = (cluster?.objects('Pod') ?? []).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  const sources = ['default/client', 'external', 'node', ...pods];
  const destinations = servicePorts.flatMap((view) => destinationsOf(view, nodes.flatMap(nodeAddresses)));
  return (
    <form class="question" aria-label="The packet" onSubmit={(event) => event.preventDefault()}>
      <div class="fields">
        <label class="wide">
          From
          <input
            value={state.from}
            list="sources"
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => update({ from: event.currentTarget.value })}
          />
        </label>
        <span class="arrow" aria-hidden="true">
          →
        </span>
        <label class="wide">
          To
          <input
            value={state.to}
            list="destinations"
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => update({ to: event.currentTarget.value })}
          />
        </label>
        <label>
          Protocol
          <select value={state.protocol} onChange={(event) => update({ protocol: event.currentTarget.value })}>
            <option value="">as the port</option>
            <option>TCP</option>
            <option>UDP</option>
            <option>SCTP</option>
          </select>
        </label>
        <label>
          Node
          <select value={state.node} onChange={(event) => update({ node: event.currentTarget.value })}>
            <option value="">where it starts</option>
            {nodes.map(({ metadata }) => (
              <option key={metadata.name}>{metadata.name}</option>
            ))}
          </select>
        </label>
      </div>
      <div class="fields">
        <Choice legend="Mode" values={MODES} chosen={state.mode} onChoose={(mode) => update({ mode })} />
        <label class={state.mode === 'ipvs' ? '' : 'unused'}>
          Scheduler
          <select
            value={state.scheduler}
            disabled={state.mode !== 'ipvs'}
            onChange={(event) => update({ scheduler: event.currentTarget.value })}
          >
            {SCHEDULERS.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label>
          Engine
          <select
            value={state.engine}
            onChange={(event) => update({ engine: ENGINES.find((each) => each === event.currentTarget.value) ?? 'auto' })}
          >
            {ENGINES.map((name) => (
              <option key={name} value={name}>
                {ENGINE_TITLES[name]}
              </option>
            ))}
          </select>
        </label>
      </div>
      <datalist id="sources">
        {sources.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      <datalist id="destinations">
        {[...new Set(destinations)].map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
    </form>
  );
}

/** Everything that a packet to this ServicePort may be addressed to. */
export function destinationsOf({ servicePort, frontends, endpoints }: ServicePortView, addressesOfNodes: readonly string[]): string[] {
  const [namespace = '', rest = ''] = servicePort.split('/');
  const [name = '', port] = rest.split(':');
  const named = `${name}.${namespace}${port === undefined ? '' : `:${port}`}`;
  const isIPv6 = frontends.some(({ address }) => address?.includes(':'));
  const addresses = frontends.flatMap((frontend) => {
    if (frontend.address !== undefined) return formatEndpoint(frontend.address, frontend.port);
    return addressesOfNodes.filter((each) => each.includes(':') === isIPv6).map((each) => formatEndpoint(each, frontend.port));
  });
  return [named, ...addresses, ...endpoints.map(({ address, port: endpointPort }) => formatEndpoint(address, endpointPort))];
}
