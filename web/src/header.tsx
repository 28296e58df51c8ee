// The name of the page, the link that holds all of it, and the choice of light or dark.
import { useState } from 'preact/hooks';
import type { PlaygroundState } from './playground-state.ts';
import { shareFragment } from './share-link.ts';

export function Header({ state, problem }: { readonly state: PlaygroundState; readonly problem: string | undefined }) {
  const [shared, setShared] = useState('');
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
      <button type="button" class="primary" onClick={share}>
        Share
      </button>
      <ThemeButton />
    </header>
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
