// The answer in one sentence, and the packet before and after it.

import type { ProxyMode } from 'svcplane';
import { formatEndpoint } from '../../src/address.ts';
import type { Asked } from './app.tsx';
import { type Namer, outcomeName } from './names.ts';

const SENTENCES = {
  DROP: 'disappears: the client waits for its timeout',
  REJECT: 'is refused at once with an ICMP error',
  ACCEPT: 'is no Service’s: it goes on as it is',
} as const;

export interface VerdictBannerProps {
  readonly asked: Asked | string;
  readonly names: Namer;
  readonly mode: ProxyMode;
}

export function VerdictBanner({ asked, names, mode }: VerdictBannerProps) {
  if (typeof asked === 'string') {
    return (
      <div class="verdict refused" role="status">
        <p class="verdict-action">?</p>
        <p class="verdict-words">{asked}</p>
      </div>
    );
  }
  const { question, answer } = asked;
  const { packet, node, destinationName, notes } = question;
  const { outcomes } = answer.explanation;
  const actions = [...new Set(outcomes.map(({ action }) => action))];
  const [action = 'DROP'] = actions;
  const backends = new Set(outcomes.filter(({ backend }) => backend !== undefined).map(outcomeName));
  const { verdict } = answer.trace;
  return (
    <div class={`verdict ${action.toLowerCase()}`} role="status" data-action={verdict.action} data-outcomes={outcomes.length}>
      <p class="verdict-action">{actions.length > 1 ? 'depends' : action}</p>
      <div class="verdict-words">
        <p>
          <code>{formatEndpoint(packet.source, packet.sourcePort)}</code> → {destinationName === undefined ? '' : <b>{destinationName} </b>}
          <code>
            {formatEndpoint(packet.destination, packet.destinationPort)}/{packet.protocol}
          </code>{' '}
          {actions.length > 1 ? (
            `may end in ${actions.join(' or ')}`
          ) : action === 'DNAT' ? (
            <>
              goes to <b>{backends.size === 1 ? `the only backend, ${[...backends][0]}` : `one of ${backends.size} backends`}</b>
              {outcomes.every(({ masquerade }) => masquerade) ? ', masqueraded: they see this node as the client' : ''}
            </>
          ) : (
            <b>{SENTENCES[action]}</b>
          )}
        </p>
        <p class="fine">
          {node.metadata.name}, {mode} mode, {verdict.rulesEvaluated} rules looked at, by{' '}
          {answer.engine === 'wasm' ? 'WebAssembly' : 'TypeScript'}.{' '}
          {verdict.backend === undefined ? '' : `This packet: ${names.owner(verdict.backend.address)?.pod ?? outcomeName(verdict)}. `}
          {[...notes, ...answer.warnings].join('. ')}
        </p>
      </div>
    </div>
  );
}
