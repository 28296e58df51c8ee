// The answer in one sentence, and the packet before and after it.

import type { ProxyMode, Step } from 'svcplane';
import { formatEndpoint } from '../../src/address.ts';
import { ruleWords } from '../../src/cli/rule-words.ts';
import type { Asked } from './answer.ts';
import { type Namer, outcomeName } from './names.ts';

const SENTENCES = {
  DROP: 'disappears: the client waits for its timeout',
  REJECT: 'is refused at once with an ICMP error',
  ACCEPT: 'is no Service’s: it goes on as it is',
} as const;

const MARKED = 'marked for masquerade';

export interface VerdictBannerProps {
  readonly asked: Asked | string;
  readonly names: Namer;
  readonly mode: ProxyMode;
  /** The manifests are broken now: what is shown is about the last whole ones. */
  readonly isOutdated: boolean;
}

export function VerdictBanner({ asked, names, mode, isOutdated }: VerdictBannerProps) {
  const outdated = isOutdated ? <p class="bad">The manifests are broken: this is about the last whole ones.</p> : null;
  if (typeof asked === 'string') {
    return (
      <div class="verdict refused" role="status">
        <p class="verdict-action">?</p>
        <div class="verdict-words">
          <p>{asked}</p>
          {outdated}
        </div>
      </div>
    );
  }
  const { question, answer } = asked;
  const { packet, node, destinationName, notes } = question;
  const { outcomes } = answer.explanation;
  const actions = [...new Set(outcomes.map(({ action }) => action))];
  const [action = 'DROP'] = actions;
  const backends = new Set(outcomes.filter(({ backend }) => backend !== undefined).map(outcomeName));
  const { verdict, steps } = answer.trace;
  const owner = verdict.backend === undefined ? undefined : names.owner(verdict.backend.address);
  const podText = owner?.pod === undefined ? '' : `The backend is ${owner.pod} on ${owner.node}. `;
  const masqueradeWhy = verdict.masquerade ? markingWords(steps) : undefined;
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
              goes to <b>{outcomeName(verdict)}</b>, {backends.size === 1 ? 'the only backend' : `one of ${backends.size} backends`};{' '}
              {verdict.masquerade ? 'masqueraded: the backend sees this node as the client' : 'its source stays'}
            </>
          ) : (
            <b>{SENTENCES[action]}</b>
          )}
        </p>
        <p class="fine">
          {node.metadata.name}, {mode} mode, {verdict.rulesEvaluated} rules looked at, by{' '}
          {answer.engine === 'wasm' ? 'WebAssembly' : 'TypeScript'}. {podText}
          {masqueradeWhy === undefined ? '' : `Why masqueraded: ${masqueradeWhy}. `}
          {[...notes, ...answer.warnings].map((note) => `${note}. `)}
        </p>
        {outdated}
      </div>
    </div>
  );
}

/** What the rule says that asked for masquerade, but for its effect, which the sentence has. */
function markingWords(steps: readonly Step[]): string | undefined {
  const words = steps.flatMap((step) => (step.kind === 'rule' && step.matched ? ruleWords(step) : []));
  return words.find((each) => each.includes(MARKED))?.replace(new RegExp(`(:| is) ${MARKED}.*$`), '');
}
