// The name of the page, the examples, the link that holds all of it, and the choice of light or dark.
import { useEffect, useState } from 'preact/hooks';
import { EXAMPLES } from './examples.ts';
import type { PlaygroundState } from './playground-state.ts';
import { shareFragment } from './share-link.ts';

export interface HeaderProps {
  readonly state: PlaygroundState;
  readonly update: (patch: Partial<PlaygroundState>) => void;
  readonly problem: string | undefined;
}

export function Header({ state, update, problem }: HeaderProps) {
  const [shared, setShared] = useState('');
  // a link holds what was seen when it was made
  useEffect(() => setShared(''), [state]);
  const share = async () => {
    const fragment = await shareFragment(state);
    history.replaceState(undefined, '', fragment);
    const isCopied = await navigator.clipboard?.writeText(location.href).then(
      () => true,
      () => false,
    );
    setShared(isCopied ? 'Link copied: it holds everything you see' : 'The address bar now holds everything you see');
  };
  return (
    <header class="header">
      <h1>
        <span class="mark" aria-hidden="true" />
        svcplane <small>why does this packet go there?</small>
      </h1>
      <p class="said" role="status">
        {shared || problem}
      </p>
      <ExampleChoice chosen={state.example} update={update} />
      <button type="button" class="primary" onClick={share}>
        Share
      </button>
      <ThemeButton />
    </header>
  );
}

function ExampleChoice({ chosen, update }: { readonly chosen: string } & Pick<HeaderProps, 'update'>) {
  const choose = (name: string) => {
    const example = EXAMPLES.find((each) => each.name === name);
    if (example !== undefined)
      update({ example: name, manifests: '', changes: [], from: example.from, to: example.to, protocol: '', node: '' });
  };
  return (
    <label class="example">
      Example
      <select value={chosen} onChange={(event) => choose(event.currentTarget.value)}>
        {chosen === '' ? <option value="">your own manifests</option> : null}
        {EXAMPLES.map(({ name, title }) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Light or dark as the system has it, until somebody chooses. */
function ThemeButton() {
  const [isDark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches);
  const turn = () => {
    document.documentElement.dataset.theme = isDark ? 'light' : 'dark';
    setDark(!isDark);
  };
  return (
    <button
      type="button"
      onClick={turn}
      aria-label={isDark ? 'Light colours' : 'Dark colours'}
      title={isDark ? 'Light colours' : 'Dark colours'}
    >
      {isDark ? '☀' : '☾'}
    </button>
  );
}
