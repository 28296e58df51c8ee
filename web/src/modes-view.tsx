// The same cluster and the same packet in two modes, side by side, with what differs marked.

import { useMemo } from 'preact/hooks';
import { type ProxyMode, type ServicePortView, SvcplaneError } from 'svcplane';
import { formatEndpoint } from '../../src/address.ts';
import { EFFECT_WORDS } from '../../src/diff/answer.ts';
import type { Finding } from '../../src/diff/comparison.ts';
import type { Asked } from './answer.ts';
import { type Answer, answer } from './answer.ts';
import { Choice } from './choice.tsx';
import { CLIENTS, type ComparedCell, type Comparison, compareModes, witnessOf } from './compare-modes.ts';
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
  const comparison = useMemo(() => {
    if (typeof other === 'string') return undefined;
    // What is explained belongs to no engine.
    using one = openNode(world.cluster, question.node, { mode, engine: 'js', scheduler });
    using another = openNode(world.cluster, question.node, { mode: otherMode, engine: 'js', scheduler });
    try {
      return compareModes(world.cluster, question.node.metadata.name, [mode, otherMode], [one.dataplane, another.dataplane]);
    } catch (error) {
      if (error instanceof SvcplaneError) return error.message;
      throw error;
    }
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
      {typeof comparison === 'string' ? <p class="why">{comparison}</p> : null}
      {typeof comparison !== 'object' ? null : <Differences comparison={comparison} modes={[mode, otherMode]} update={update} />}
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
  readonly comparison: Comparison;
  readonly modes: readonly [ProxyMode, ProxyMode];
  readonly update: ModesViewProps['update'];
}

function Differences({ comparison: { rows, findings }, modes, update }: DifferencesProps) {
  const cells = rows.flatMap((row) => row.cells.flatMap((cell) => cell ?? []));
  const different = cells.filter(({ isSame }) => !isSame).length;
  return (
    <section class="differences">
      <h3>
        From {modes[0]} to {modes[1]}: {findings.length === 0 ? 'nothing changes' : 'what changes, and why'}
      </h3>
      <ol class="findings">
        {findings.map((finding) => (
          <FindingItem key={finding.reason.id + finding.effect} finding={finding} update={update} />
        ))}
      </ol>
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
              {CLIENTS.map((client) => (
                <th scope="col" key={client}>
                  from {client}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ servicePort, destination: { kind, address, port }, cells: row }) => (
              <tr key={`${servicePort} ${address} ${port}`}>
                <th scope="row">{servicePort}</th>
                <td>
                  {kind} <code>{formatEndpoint(address, port)}</code>
                </td>
                {row.map((cell, column) => (
                  <td key={CLIENTS[column]} class={cell === undefined || cell.isSame ? '' : 'differs'}>
                    {cell === undefined ? '–' : <CellButton cell={cell} modes={modes} update={update} />}
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

/** As `svcplane diff` tells it. */
function FindingItem({ finding, update }: { readonly finding: Finding; readonly update: ModesViewProps['update'] }) {
  const { reason, effect, services } = finding;
  const witness = witnessOf(finding);
  return (
    <li>
      <b>{reason.title}</b> <small class="tag">{EFFECT_WORDS[effect]}</small>
      <p>{reason.why}</p>
      <p>What to do: {reason.advice}</p>
      <p>
        {services.length === 0 ? 'The same for every Service.' : services.map(({ service }) => service).join(', ')}{' '}
        {witness === undefined ? null : (
          <button type="button" onClick={() => update(witness)}>
            Ask this: {witness.from} to {witness.to}
          </button>
        )}
      </p>
    </li>
  );
}

function CellButton({ cell, modes, update }: { readonly cell: ComparedCell } & Pick<DifferencesProps, 'modes' | 'update'>) {
  const { from, to, answers, isSame } = cell;
  return (
    <button type="button" onClick={() => update({ from, to })} title="Ask this">
      {isSame ? (
        answers[0]
      ) : (
        <>
          {modes[0]}: {answers[0]}
          <br />
          {modes[1]}: {answers[1]}
        </>
      )}
    </button>
  );
}
