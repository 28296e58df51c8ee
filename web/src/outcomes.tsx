// Every outcome that a new connection can have, each with its probability; and why there is none to speak of, when there is none.
import type { ServicePortView } from 'svcplane';
import { formatEndpoint, parseAddress } from '../../src/address.ts';
import type { Asked } from './answer.ts';
import { type Namer, outcomeName, percentText } from './names.ts';

export interface OutcomesProps {
  readonly asked: Asked;
  readonly names: Namer;
  readonly servicePorts: readonly ServicePortView[];
  readonly chosen: number | undefined;
  readonly onChoose: (index: number | undefined) => void;
}

export function Outcomes({ asked, names, servicePorts, chosen, onChoose }: OutcomesProps) {
  const { outcomes } = asked.answer.explanation;
  return (
    <aside class="outcomes" aria-label="Outcomes">
      <h2>
        {outcomes.length === 1 ? 'The only outcome' : `${outcomes.length} outcomes`} <small>of a new connection</small>
      </h2>
      <ul>
        {outcomes.map((outcome, index) => {
          const name = outcomeName(outcome);
          const owner = outcome.backend === undefined ? undefined : names.owner(outcome.backend.address);
          return (
            <li key={`${name}${outcome.masquerade}`}>
              <button
                type="button"
                class={`outcome ${outcome.action.toLowerCase()} ${names.colour(name)}`}
                aria-pressed={chosen === index}
                onClick={() => onChoose(chosen === index ? undefined : index)}
              >
                <span class="chance">{percentText(outcome.probability)}</span>
                <span class="who">
                  <b>{name}</b>
                  {owner?.pod === undefined ? null : (
                    <small>
                      {owner.pod} on {owner.node}
                    </small>
                  )}
                  {outcome.masquerade ? <small class="tag">masqueraded</small> : null}
                  {outcome.uncertain ? <small class="tag">uncertain</small> : null}
                </span>
                <span class="bar" aria-hidden="true">
                  <i style={{ width: `${outcome.probability * 100}%` }} />
                </span>
              </button>
            </li>
          );
        })}
      </ul>
      <Unused asked={asked} names={names} servicePorts={servicePorts} />
    </aside>
  );
}

/** Endpoints of the Service that this packet cannot reach, and why. */
function Unused({ asked, names, servicePorts }: Pick<OutcomesProps, 'asked' | 'names' | 'servicePorts'>) {
  const { outcomes } = asked.answer.explanation;
  const hit = new Set(outcomes.map(outcomeName));
  const services = new Set(outcomes.map(({ servicePort }) => servicePort));
  const { protocol, destination } = asked.question.packet;
  const family = parseAddress(destination)?.family;
  const views = servicePorts.filter((view) => services.has(view.servicePort) && view.protocol === protocol && view.family === family);
  const isEmpty = views.length > 0 && views.every(({ endpoints }) => endpoints.length === 0);
  if (isEmpty)
    return <p class="why">{views[0]?.servicePort} has no endpoints at all: no Pod matches its selector, or none has an address.</p>;
  const unused = views
    .flatMap(({ endpoints }) => endpoints)
    .filter((endpoint) => !hit.has(formatEndpoint(endpoint.address, endpoint.port)));
  if (unused.length === 0) return null;
  return (
    <div class={outcomes.some(({ backend }) => backend !== undefined) ? 'why mild' : 'why'}>
      <h3>Not for this packet</h3>
      <ul>
        {unused.map((endpoint) => (
          <li key={endpoint.address}>
            <b>{formatEndpoint(endpoint.address, endpoint.port)}</b>{' '}
            <small>
              {names.owner(endpoint.address)?.pod}{' '}
              {names.owner(endpoint.address) === undefined ? '' : `on ${names.owner(endpoint.address)?.node}`}
            </small>
            <br />
            {endpoint.unusedBecause ?? (endpoint.isLocal ? 'usable, but not for this client' : 'usable, but not on this node')}
          </li>
        ))}
      </ul>
    </div>
  );
}
