// The packet's walk: hooks and rules in order, stepped through or played, beside every outcome that was possible.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ServicePortView } from 'svcplane';
import type { Asked } from './answer.ts';
import { type Namer, outcomeName } from './names.ts';
import { Outcomes } from './outcomes.tsx';
import { Pipeline } from './pipeline.tsx';
import { type WalkEntry, type WalkStage, walkStages } from './walk.ts';

const STEP_MS = 700;

interface Walk {
  readonly title: string;
  readonly stages: readonly (WalkStage & { readonly isReply: boolean })[];
}

export interface WalkViewProps {
  readonly asked: Asked;
  readonly names: Namer;
  readonly servicePorts: readonly ServicePortView[];
}

export function WalkView({ asked, names, servicePorts }: WalkViewProps) {
  const [chosen, setChosen] = useState<number>();
  const [position, setPosition] = useState<number>();
  const [isPlaying, setPlaying] = useState(false);
  // another answer is another walk
  useEffect(() => {
    setChosen(undefined);
    setPosition(undefined);
    setPlaying(false);
  }, [asked]);
  const walk = useMemo(() => walkOf(asked, chosen), [asked, chosen]);
  const last = walk.stages.reduce((sum, stage) => sum + stage.entries.length, 0) - 1;
  useEffect(() => {
    if (!isPlaying) return undefined;
    const timer = setInterval(() => {
      setPosition((at = -1) => Math.min(at + 1, last));
    }, STEP_MS);
    return () => clearInterval(timer);
  }, [isPlaying, last]);
  useEffect(() => {
    if (position === last) setPlaying(false);
  }, [position, last]);
  const go = (to: number | undefined) => {
    setPlaying(false);
    setPosition(to === undefined ? undefined : Math.max(0, Math.min(to, last)));
  };
  const play = () => {
    if (position === undefined || position === last) setPosition(0);
    setPlaying(!isPlaying);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const on = (position ?? -1) + 1;
    const back = (position ?? last + 1) - 1;
    const moves: Readonly<Record<string, number | undefined>> = {
      ArrowDown: on,
      ArrowRight: on,
      ArrowUp: back,
      ArrowLeft: back,
      Home: 0,
      End: last,
      Escape: undefined,
    };
    if (!(event.key in moves) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    go(moves[event.key]);
  };
  return (
    <div class="walk-view">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: keys of the buttons and of the list in it */}
      <div class="walk-main" onKeyDown={onKeyDown}>
        <Pipeline asked={asked} names={names} stages={walk.stages} position={position}>
          <div class="walk-controls" role="toolbar" aria-label="Walk">
            <button type="button" class="primary" onClick={play}>
              {isPlaying ? '❚❚ Pause' : '▶ Watch it walk'}
            </button>
            <button type="button" onClick={() => go((position ?? last + 1) - 1)} aria-label="One step back">
              ←
            </button>
            <button type="button" onClick={() => go((position ?? -1) + 1)} aria-label="One step on">
              →
            </button>
            <button type="button" onClick={() => go(undefined)} disabled={position === undefined} title="Show the whole walk again">
              {position === undefined ? `${last + 1} steps` : `${position + 1} of ${last + 1}`}
            </button>
          </div>
        </Pipeline>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the arrow keys step through it */}
        <section class="steps" tabIndex={0} aria-label={`${walk.title}: arrow keys step`}>
          <h3 class="walk-title">{walk.title}. Arrow keys step, Escape shows all.</h3>
          <Stages stages={walk.stages} position={position} />
        </section>
      </div>
      <Outcomes asked={asked} names={names} servicePorts={servicePorts} chosen={chosen} onChoose={setChosen} />
    </div>
  );
}

function walkOf({ question, answer }: Asked, chosen: number | undefined): Walk {
  const { packet } = question;
  const outcome = chosen === undefined ? undefined : answer.explanation.outcomes[chosen];
  if (outcome !== undefined) {
    const stages = walkStages(packet, outcome.path).map((stage) => ({ ...stage, isReply: false }));
    return { title: `The way to ${outcomeName(outcome)}, without the rules that do not match`, stages };
  }
  const there = walkStages(packet, answer.trace.steps).map((stage) => ({ ...stage, isReply: false }));
  const back = answer.reply === undefined ? [] : walkStages(answer.reply.packet, answer.reply.trace.steps);
  return { title: 'This packet and its reply, every rule', stages: [...there, ...back.map((stage) => ({ ...stage, isReply: true }))] };
}

/** What happens where, for those who see the names for the first time. */
const STAGE_WORDS: Readonly<Record<string, string>> = {
  conntrack: 'the node remembers connections: only the first packet of one is decided',
  PREROUTING: 'just arrived: the destination may change before the node routes it',
  INPUT: 'for this node itself',
  FORWARD: 'on its way through this node',
  OUTPUT: 'sent by this node itself: the destination may change',
  POSTROUTING: 'about to leave: the source may change',
};

function Stages({ stages, position }: { readonly stages: Walk['stages']; readonly position: number | undefined }) {
  let number = 0;
  return (
    <ol class="stages">
      {stages.map((stage, index) => {
        const first = number;
        number += stage.entries.length;
        const beginsReply = stage.isReply && stages[index - 1]?.isReply !== true;
        return (
          <li key={index} class={stage.isReply ? 'reply' : ''}>
            {beginsReply ? <h3 class="turn">The reply comes back</h3> : null}
            <h4>
              {stage.title} <small>{STAGE_WORDS[stage.title]}</small>
            </h4>
            <ol>
              {stage.entries.map((entry, at) => (
                <Entry
                  key={at}
                  entry={entry}
                  isCurrent={first + at === position}
                  isAhead={position !== undefined && first + at > position}
                />
              ))}
            </ol>
          </li>
        );
      })}
    </ol>
  );
}

const SIGNS: Readonly<Record<WalkEntry['kind'], readonly [string, string]>> = {
  match: ['✓', 'matches'],
  miss: ['·', 'does not match'],
  chance: ['⚄', 'chance decides'],
  info: ['i', 'state'],
  translation: ['⇄', 'rewritten'],
  stop: ['✕', 'ends here'],
};

function Entry({ entry, isCurrent, isAhead }: { readonly entry: WalkEntry; readonly isCurrent: boolean; readonly isAhead: boolean }) {
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isCurrent) row.current?.scrollIntoView({ block: 'nearest' });
  }, [isCurrent]);
  const [sign, meaning] = SIGNS[entry.kind];
  return (
    <li
      ref={row}
      class={`entry ${entry.kind}${isCurrent ? ' current' : ''}${isAhead ? ' ahead' : ''}`}
      aria-current={isCurrent ? 'step' : undefined}
    >
      <span class="sign" role="img" aria-label={meaning} title={meaning}>
        {sign}
      </span>
      {entry.folded === undefined ? (
        <div>
          <p>
            <span class="place">{entry.place}</span> <span class="words">{entry.words}</span>
          </p>
          {entry.text === undefined ? null : <code class="rule">{entry.text}</code>}
        </div>
      ) : (
        <details>
          <summary>
            <span class="words">{entry.folded.length} rules that do not match</span> <span class="place">{placesOf(entry.folded)}</span>
          </summary>
          {entry.folded.map(({ place, text }) => (
            <code class="rule" key={place}>
              {place}: {text}
            </code>
          ))}
        </details>
      )}
    </li>
  );
}

function placesOf(folded: NonNullable<WalkEntry['folded']>): string {
  return [...new Set(folded.map(({ place }) => place.replace(/ #\d+$/, '')))].join(', ');
}
