// Starts the page: the state of a share link when there is one, else the first example.
import { render } from 'preact';
import { App } from './app.tsx';
import { INITIAL_STATE } from './playground-state.ts';
import { readFragment } from './share-link.ts';
import './page.css';
import './question-bar.css';
import './verdict-banner.css';
import './walk-view.css';
import './outcomes.css';
import './connections-view.css';
import './modes-view.css';
import './cost-view.css';
import './cluster-panel.css';
import './narrow.css';

const root = document.getElementById('app');
if (root !== null) {
  const { state, problem } = await startingState();
  root.replaceChildren();
  render(<App initial={state} linkProblem={problem} />, root);
}

async function startingState() {
  try {
    return { state: (await readFragment(location.hash)) ?? INITIAL_STATE, problem: undefined };
  } catch (error) {
    const problem = `The link cannot be opened: ${error instanceof Error ? error.message : String(error)}. This is the first example instead.`;
    return { state: INITIAL_STATE, problem };
  }
}

// A link pasted over the address of an open page.
addEventListener('hashchange', () => location.reload());
