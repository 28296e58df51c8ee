// A thousand connections at a time, and where they went, while Pods come and go.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { SvcplaneError } from 'svcplane';
import type { Asked } from './answer.ts';
import { CONNECTIONS, LiveConnections, type Tally } from './live-connections.ts';
import { type Namer, outcomeName, percentText } from './names.ts';
import type { PlaygroundState } from './playground-state.ts';
import type { World } from './world.ts';

const THOUSANDS_SHOWN = 24;
const EVERY_MS = 800;

export interface ConnectionsViewProps {
  readonly asked: Asked;
  readonly names: Namer;
  readonly state: PlaygroundState;
  readonly update: (patch: Partial<PlaygroundState>) => void;
  readonly world: World;
}

export function ConnectionsView({ asked, names, state, world }: ConnectionsViewProps) {
  const [tallies, setTallies] = useState<readonly Tally[]>([]);
  const [isSending, setSending] = useState(false);
  const { mode, engine, scheduler } = state;
  const { packet, node } = asked.question;
  const key = JSON.stringify([packet, node.metadata.name, mode, engine, scheduler]);
  const live = useRef<LiveConnections>(undefined);
  // the key holds everything that makes another dataplane
  useEffect(() => {
    live.current = new LiveConnections(asked.question, world.cluster, { mode, engine, scheduler });
    setTallies([]);
    return () => live.current?.[Symbol.dispose]();
  }, [key, world]);
  const send = () => {
    try {
      const tally = live.current?.sendThousand();
      if (tally !== undefined) setTallies((before) => [...before, tally].slice(-THOUSANDS_SHOWN));
    } catch (error) {
      if (!(error instanceof SvcplaneError)) throw error;
      setSending(false);
    }
  };
  useEffect(() => {
    if (!isSending) return undefined;
    const timer = setInterval(send, EVERY_MS);
    return () => clearInterval(timer);
  });
  const expected = useMemo(
    () => new Map(asked.answer.explanation.outcomes.map((outcome) => [outcomeName(outcome), outcome.probability])),
    [asked],
  );
  const last = tallies.at(-1);
  const ends = useMemo(
    () => [...new Set([...tallies.flatMap((tally) => [...tally.keys()]), ...expected.keys()])].sort(),
    [tallies, expected],
  );
  return (
    <div class="connections-view">
      <div class="walk-controls" role="toolbar" aria-label="Connections">
        <button type="button" class="primary" onClick={send}>
          Send 1,000 connections
        </button>
        <button type="button" aria-pressed={isSending} onClick={() => setSending(!isSending)}>
          {isSending ? '❚❚ Stop' : 'Keep sending'}
        </button>
        <span class="fine" role="status">
          {tallies.length === 0
            ? 'One client, each connection from a port of its own.'
            : `${(tallies.length >= THOUSANDS_SHOWN ? `the last ${THOUSANDS_SHOWN}` : tallies.length).toString()} times 1,000 sent`}
        </span>
      </div>
      <ul class="bars" data-sent={tallies.length}>
        {ends.map((end) => (
          <Bar key={end} end={end} names={names} count={last?.get(end) ?? 0} expected={expected.get(end)} isSent={last !== undefined} />
        ))}
      </ul>
      <History tallies={tallies} ends={ends} names={names} />
      <p class="fine">
        The bar is the last thousand, the mark is the chance of a new client; below, each thousand is a column, the newest at the right.
        Make Pods unready, terminate, scale or drain them beside, and send again
        {mode === 'ipvs' ? '; or choose another scheduler' : ''}.
      </p>
    </div>
  );
}

interface BarProps {
  readonly end: string;
  readonly names: Namer;
  readonly count: number;
  /** Undefined: the cluster no longer sends anything there. */
  readonly expected: number | undefined;
  readonly isSent: boolean;
}

function Bar({ end, names, count, expected, isSent }: BarProps) {
  const owner = names.owner(end.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''));
  return (
    <li class={`${names.colour(end)}${expected === undefined ? ' gone' : ''}`}>
      <span class="who">
        <b>{end}</b> <small>{owner?.pod === undefined ? '' : `${owner.pod} on ${owner.node}`}</small>
      </span>
      <span class="bar">
        <i style={{ width: `${(count / CONNECTIONS) * 100}%` }} />
        {expected === undefined ? null : <s style={{ left: `${expected * 100}%` }} title={`chance ${percentText(expected)}`} />}
      </span>
      <span class="count">
        {isSent ? count : '–'} <small>{expected === undefined ? 'no longer' : `chance ${percentText(expected)}`}</small>
      </span>
    </li>
  );
}

/** Each thousand as one column, the oldest at the left. */
function History({
  tallies,
  ends,
  names,
}: {
  readonly tallies: readonly Tally[];
  readonly ends: readonly string[];
  readonly names: Namer;
}) {
  const columns = Array.from({ length: THOUSANDS_SHOWN }, (_, index) => tallies[index]);
  return (
    <div class="history" role="img" aria-label={`The last ${tallies.length} thousands, each as a column of its shares`}>
      {columns.map((tally, index) => (
        <div key={index}>
          {ends.map((end) => (
            <i key={end} class={names.colour(end)} style={{ height: `${((tally?.get(end) ?? 0) / CONNECTIONS) * 100}%` }} />
          ))}
        </div>
      ))}
    </div>
  );
}
