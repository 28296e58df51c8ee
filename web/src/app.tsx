// The page: a question above, its answer below, the cluster beside it.
import type { FunctionComponent } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type Asked, answer, servicePortsOf } from './answer.ts';
import { ClusterPanel } from './cluster-panel.tsx';
import { ConnectionsView } from './connections-view.tsx';
import { Header } from './header.tsx';
import { ModesView } from './modes-view.tsx';
import { Namer } from './names.ts';
import { type ClusterChange, manifestsOf, type PlaygroundState, type View } from './playground-state.ts';
import { askedBy } from './question.ts';
import { QuestionBar } from './question-bar.tsx';
import { VerdictBanner } from './verdict-banner.tsx';
import { WalkView } from './walk-view.tsx';
import { applyChange, openWorld, type Problem, type World } from './world.ts';

const VIEW_TITLES: Readonly<Record<View, string>> = {
  walk: 'Walk',
  connections: 'Connections',
  modes: 'Two modes',
  cost: 'What it costs',
};

export interface AppProps {
  readonly initial: PlaygroundState;
  readonly linkProblem: string | undefined;
}

export function App({ initial, linkProblem }: AppProps) {
  const [state, setState] = useState(initial);
  const [epoch, setEpoch] = useState(0);
  const update = (patch: Partial<PlaygroundState>) => setState((before) => ({ ...before, ...patch }));
  const { world, problems } = useWorld(state, epoch);
  const change = (made: ClusterChange) => {
    if (world !== undefined) applyChange(world.cluster, made);
    setState((before) => ({ ...before, changes: [...before.changes, made] }));
  };
  const undoChanges = () => {
    update({ changes: [] });
    setEpoch(epoch + 1);
  };
  const { from, to, protocol, node, mode, engine, scheduler, changes } = state;
  // `changes` moves the cluster, which keeps its identity
  const asked = useMemo((): Asked | string => {
    if (world === undefined) return 'There is no cluster to ask yet.';
    const question = askedBy({ from, to, protocol, node }, world.cluster);
    if (typeof question === 'string') return question;
    const given = answer(question, world.cluster, { mode, engine, scheduler });
    return typeof given === 'string' ? given : { question, answer: given };
  }, [world, changes, from, to, protocol, node, mode, engine, scheduler]);
  // as above
  const names = useMemo(() => new Namer(world?.cluster), [world, changes]);
  const shownNode = typeof asked === 'string' ? world?.cluster.objects('Node')[0] : asked.question.node;
  // as above
  const servicePorts = useMemo(
    () => (world === undefined || shownNode === undefined ? [] : servicePortsOf(world.cluster, { node: shownNode })),
    [world, changes, shownNode?.metadata.name],
  );

  return (
    <div class="page">
      <Header state={state} update={update} problem={linkProblem} />
      <main class="stage">
        <QuestionBar state={state} update={update} cluster={world?.cluster} servicePorts={servicePorts} />
        <VerdictBanner asked={asked} names={names} mode={mode} isOutdated={problems.length > 0} />
        <Tabs view={state.view} onChoose={(view) => update({ view })} />
        <section class="view" role="tabpanel" id="view" aria-labelledby={`tab-${state.view}`}>
          {state.view === 'cost' ? (
            <Lazy load={() => import('./cost-view.tsx').then(({ CostView }) => CostView)} />
          ) : typeof asked === 'string' || world === undefined ? (
            <p class="empty">
              Nothing to show until there is a packet to send: choose where it comes from and goes to, or an example, above.
            </p>
          ) : state.view === 'walk' ? (
            <WalkView asked={asked} names={names} servicePorts={servicePorts} />
          ) : state.view === 'connections' ? (
            <ConnectionsView asked={asked} names={names} state={state} update={update} world={world} />
          ) : (
            <ModesView asked={asked} names={names} state={state} update={update} world={world} servicePorts={servicePorts} />
          )}
        </section>
      </main>
      <ClusterPanel
        state={state}
        update={update}
        change={change}
        undoChanges={undoChanges}
        cluster={world?.cluster}
        notes={world?.notes ?? []}
        problems={problems}
        servicePorts={servicePorts}
        nodeName={shownNode?.metadata.name ?? ''}
      />
    </div>
  );
}

/** The cluster of the manifests; while they are broken, the last one that was whole. */
function useWorld(state: PlaygroundState, epoch: number): { readonly world: World | undefined; readonly problems: readonly Problem[] } {
  const text = manifestsOf(state);
  const last = useRef<World>(undefined);
  // later changes are applied to the cluster itself; `epoch` takes them back
  const opened = useMemo(() => openWorld(text, state.changes), [text, epoch]);
  if ('cluster' in opened) {
    last.current = opened;
    return { world: opened, problems: [] };
  }
  return { world: last.current, problems: opened };
}

/** A view with its own code, which comes when it is looked at. */
function Lazy({ load }: { readonly load: () => Promise<FunctionComponent> }) {
  const [View, setView] = useState<FunctionComponent>();
  // once
  useEffect(() => {
    load().then((loaded) => setView(() => loaded));
  }, []);
  return View === undefined ? null : <View />;
}

function Tabs({ view, onChoose }: { readonly view: View; readonly onChoose: (view: View) => void }) {
  const views = Object.entries(VIEW_TITLES) as [View, string][];
  const move = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (by === 0) return;
    const index = views.findIndex(([name]) => name === view);
    const next = views[(index + by + views.length) % views.length]?.[0];
    if (next === undefined) return;
    onChoose(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Ways to look at it">
      {views.map(([name, title]) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`tab-${name}`}
          aria-selected={view === name}
          aria-controls="view"
          tabIndex={view === name ? 0 : -1}
          onClick={() => onChoose(name)}
          onKeyDown={move}
        >
          {title}
        </button>
      ))}
    </div>
  );
}
