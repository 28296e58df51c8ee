// The same cluster and the same packet in two modes, side by side, with what differs marked.

import { useMemo } from 'preact/hooks';
import type { ProxyMode, ServicePortView } from 'svcplane';
import { type Answer, answer } from './answer.ts';
import type { Asked } from './app.tsx';
import { Choice } from './choice.tsx';
import { CLIENTS, type Comparison, compareModes } from './compare-modes.ts';
import { type Namer, outcomeName, percentText } from './names.ts';
import { MODES, type PlaygroundState } from './playground-state.ts';
import { openNode } from './question.ts';
import { type WalkEntry, walkStages } from './walk.ts';
import type { World } from './world.ts';

export interface ModesViewProps {
  readonly asked: Asked;
  readonly names: Namer;
  readonly state: PlaygroundState;
  readonly update: (patch: Partial<PlaygroundState>) => void;
  readonly world: World;
  readonly servicePorts: readonly ServicePortView[];
}

export function ModesView({ asked, names, state, update, world }: ModesViewProps) {
  const { mode, engine, scheduler, changes } = state;
  const others = MODES.filter((each) => each !== mode);
  const otherMode = others.find((each) => each === state.otherMode) ?? 'nftables';
  const { question } = asked;
  // `changes` moves the cluster, which keeps its identity
  const other = useMemo(
    () => answer(question, world.cluster, { mode: otherMode, engine, scheduler }),
    [question, world, changes, otherMode, engine, scheduler],
  );
  // as above
  const comparisons = useMemo(() => {
    if (typeof other === 'string') return [];
    // What is explained belongs to no engine.
    using one = openNode(world.cluster, question.node, { mode, engine: 'js', scheduler });
    using another = openNode(world.cluster, question.node, { mode: otherMode, engine: 'js', scheduler });
    return compareModes(world.cluster, question.node, [one.dataplane, another.dataplane]);
  }, [world, changes, question.node, mode, otherMode, scheduler, other]);
  return (
    <div class="modes-view">
      <Choice legend="Beside it" values={others} chosen={otherMode} onChoose={(chosen) => update({ otherMode: chosen })} />
      <div class="pair">
        <ModeColumn mode={mode} answer={asked.answer} other={typeof other === 'string' ? undefined : other} names={names} />
        {typeof other === 'string' ? (
          <p class="why">{other}</p>
        ) : (
          <ModeColumn mode={otherMode} answer={other} other={asked.answer} names={names} />
        )}
      </div>
      {typeof other === 'string' ? null : <Differences comparisons={comparisons} modes={[mode, otherMode]} update={update} />}
    </div>
  );
}

function ModeColumn({ mode, answer: given, other, names }: { mode: ProxyMode; answer: Answer; other: Answer | undefined; names: Namer }) {
  const { outcomes } = given.explanation;
  const mark = (differs: boolean) => (differs ? 'differs' : '');
  const theirs = other?.explanation.outcomes ?? [];
  const rules = given.trace.verdict.rulesEvaluated;
  const [first] = outcomes;
  return (
    <section class="mode-column">
      <h3>{mode}</h3>
      <p class={mark(other !== undefined && other.trace.verdict.rulesEvaluated !== rules)}>
        <b>{rules}</b> rules looked at
      </p>
      <ul>
        {outcomes.map((outcome) => {
          const twin = theirs.find((each) => outcomeName(each) === outcomeName(outcome) && each.masquerade === outcome.masquerade);
          const isSame = twin !== undefined && percentText(twin.probability) === percentText(outcome.probability);
          const name = outcomeName(outcome);
          return (
            <li key={`${name}${outcome.masquerade}`} class={`${names.colour(name)} ${mark(other !== undefined && !isSame)}`}>
              <b>{percentText(outcome.probability)}</b> {name} {outcome.masquerade ? <small class="tag">masqueraded</small> : null}
            </li>
          );
        })}
      </ul>
      <h4>{outcomes.length > 1 ? `The way of the first of ${outcomes.length}` : 'The way'}</h4>
      <ol class="short-walk">
        {first === undefined ? null : walkStages(given.packet, first.path).map((stage) => <ShortStage key={stage.title} {...stage} />)}
      </ol>
    </section>
  );
}

function ShortStage({ title, entries }: { readonly title: string; readonly entries: readonly WalkEntry[] }) {
  return (
    <li>
      <h5>{title}</h5>
      {entries
        .filter(({ kind }) => kind !== 'miss')
        .map((entry) => (
          <p key={`${entry.place}${entry.words}`} class={entry.kind}>
            <span class="place">{entry.place}</span> {entry.words}
          </p>
        ))}
    </li>
  );
}

interface DifferencesProps {
  readonly comparisons: readonly Comparison[];
  readonly modes: readonly [ProxyMode, ProxyMode];
  readonly update: ModesViewProps['update'];
}

function Differences({ comparisons, modes, update }: DifferencesProps) {
  const cells = comparisons.flatMap((each) => each.cells);
  const different = cells.filter(({ isSame }) => !isSame).length;
  return (
    <section class="differences">
      <h3>
        Every Service, every kind of client:{' '}
        {different === 0 ? `all ${cells.length} answers agree` : `${different} of ${cells.length} answers differ`}
      </h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: wide tables scroll */}
      <section class="scroll" tabIndex={0} aria-label="Answers of both modes">
        <table>
          <thead>
            <tr>
              <th scope="col">Service</th>
              <th scope="col">Address</th>
              {CLIENTS.map(({ title }) => (
                <th scope="col" key={title}>
                  from {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {comparisons.map(({ servicePort, frontend, kind, cells: row }) => (
              <tr key={servicePort + kind + frontend}>
                <th scope="row">{servicePort}</th>
                <td>
                  {kind} <code>{frontend}</code>
                </td>
                {row.map((cell) => (
                  <td key={cell.from} class={cell.isSame ? '' : 'differs'}>
                    <button type="button" onClick={() => update({ from: cell.from, to: cell.to })} title="Ask this">
                      {cell.isSame ? (
                        cell.answers[0]
                      ) : (
                        <>
                          {modes[0]}: {cell.answers[0]}
                          <br />
                          {modes[1]}: {cell.answers[1]}
                        </>
                      )}
                    </button>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}
