// The node as a row of hooks that the packet passes, with what it carries at each.
import type { ComponentChildren } from 'preact';
import type { Asked } from './answer.ts';
import { type Namer, outcomeName } from './names.ts';
import { type Tuple, tupleOf, type WalkStage } from './walk.ts';

export interface PipelineProps {
  readonly asked: Asked;
  readonly names: Namer;
  readonly stages: readonly (WalkStage & { readonly isReply: boolean })[];
  /** Undefined: the whole walk. */
  readonly position: number | undefined;
  /** What steps through it. */
  readonly children: ComponentChildren;
}

export function Pipeline({ asked, names, stages, position, children }: PipelineProps) {
  const { packet } = asked.question;
  const current = position === undefined ? undefined : entryAt(stages, position);
  const isReply = current === undefined ? false : (stages[current.stage]?.isReply ?? false);
  const row = stages.map((stage, index) => ({ ...stage, index })).filter((stage) => stage.isReply === isReply);
  const ending = row.at(-1)?.entries.at(-1);
  const start = isReply && asked.answer.reply !== undefined ? tupleOf(asked.answer.reply.packet) : tupleOf(packet);
  const now = current?.tuple ?? ending?.tuple ?? start;
  const { verdict } = asked.answer.trace;
  const goal = isReply ? 'client' : verdict.action === 'DNAT' ? outcomeName(verdict) : verdict.action;
  const pod = isReply ? undefined : names.owner(verdict.backend?.address ?? '')?.pod;
  return (
    <div class={`pipeline${isReply ? ' is-reply' : ''}`}>
      <ol class="hooks" aria-label={isReply ? "The reply's hooks" : "The packet's hooks"}>
        <li class="end">{isReply ? 'backend' : 'client'}</li>
        {row.map((stage) => (
          <li
            key={stage.index}
            class={`hook${current?.stage === stage.index ? ' current' : ''}${current !== undefined && stage.index > current.stage ? ' ahead' : ''}`}
          >
            {stage.title}
          </li>
        ))}
        <li title={pod ?? goal} class={`end goal ${isReply ? '' : verdict.action.toLowerCase()}`}>
          {goal}
        </li>
      </ol>
      <div class="row">
        <TupleLine before={start} now={now} />
        {children}
      </div>
    </div>
  );
}

function entryAt(stages: PipelineProps['stages'], position: number): { readonly stage: number; readonly tuple: Tuple } | undefined {
  let left = position;
  for (const [stage, { entries }] of stages.entries()) {
    const entry = entries[left];
    if (entry !== undefined) return { stage, tuple: entry.tuple };
    left -= entries.length;
  }
  return undefined;
}

function TupleLine({ before, now }: { readonly before: Tuple; readonly now: Tuple }) {
  return (
    <p class="tuple">
      <span>source</span>
      <code class={before.source === now.source ? '' : 'changed'}>{now.source}</code>
      <span>destination</span>
      <code class={before.destination === now.destination ? '' : 'changed'}>{now.destination}</code>
    </p>
  );
}
