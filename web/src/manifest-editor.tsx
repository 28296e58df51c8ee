// The YAML, with line numbers, its problems at their lines, and a place to drop files.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Problem } from './world.ts';

const LINE_EM = 1.5;
/** Milliseconds without a key before what was typed is read: a document of many Services takes longer than keys follow each other. */
const PAUSE = 150;

export interface ManifestEditorProps {
  readonly text: string;
  readonly problems: readonly Problem[];
  readonly onChange: (text: string) => void;
}

export function ManifestEditor({ text: given, problems, onChange }: ManifestEditorProps) {
  const { text, type, finish } = usePause(given, onChange);
  const [isOver, setOver] = useState(false);
  const numbers = useRef<HTMLDivElement>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  const lines = text.split('\n').length;
  const bad = new Set(problems.flatMap(({ line }) => line ?? []));
  const follow = () => {
    if (numbers.current !== null && area.current !== null) numbers.current.style.transform = `translateY(${-area.current.scrollTop}px)`;
  };
  const goTo = (line: number) => {
    const { current } = area;
    if (current === null) return;
    const start =
      text
        .split('\n')
        .slice(0, line - 1)
        .join('\n').length + (line > 1 ? 1 : 0);
    current.focus();
    current.setSelectionRange(start, text.indexOf('\n', start) < 0 ? text.length : text.indexOf('\n', start));
    current.scrollTop = (line - 3) * LINE_EM * Number.parseFloat(getComputedStyle(current).fontSize);
    follow();
  };
  const drop = async (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const files = [...(event.dataTransfer?.files ?? [])];
    const texts = await Promise.all(files.map((file) => file.text()));
    if (texts.length > 0) onChange(texts.join('\n---\n'));
  };
  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way to do what pasting does */}
      <div
        class={`editor${isOver ? ' over' : ''}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <div class="gutter" aria-hidden="true">
          <div ref={numbers}>
            {Array.from({ length: lines }, (_, index) => (
              <span key={index} class={bad.has(index + 1) ? 'bad-line' : ''}>
                {index + 1}
              </span>
            ))}
          </div>
        </div>
        <textarea
          ref={area}
          aria-label="Manifests, in YAML or JSON"
          aria-invalid={problems.length > 0}
          aria-describedby="problems"
          spellcheck={false}
          autocomplete="off"
          wrap="off"
          value={text}
          onScroll={follow}
          onInput={(event) => type(event.currentTarget.value)}
          onBlur={finish}
        />
      </div>
      <div id="problems" role="alert">
        {problems.length === 0 ? (
          <p class="fine">Paste, edit, or drop files here. Nothing leaves this page.</p>
        ) : (
          <ul class="problems">
            {problems.map(({ line, message }) => (
              <li key={`${line}${message}`}>
                {line === undefined ? null : (
                  <button type="button" onClick={() => goTo(line)}>
                    line {line}
                  </button>
                )}{' '}
                {message}
              </li>
            ))}
          </ul>
        )}
      </div>
    </>
  );
}

/** The text as it is being typed, which is handed on when typing pauses or ends; a text given from elsewhere takes its place. */
function usePause(given: string, onChange: (text: string) => void) {
  const [typed, setTyped] = useState<{ readonly text: string; readonly over: string }>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useLayoutEffect(() => () => clearTimeout(timer.current), [given]);
  const handOn = (text: string) => {
    clearTimeout(timer.current);
    setTyped(undefined);
    onChange(text);
  };
  const type = (text: string) => {
    clearTimeout(timer.current);
    setTyped({ text, over: given });
    timer.current = setTimeout(() => handOn(text), PAUSE);
  };
  const current = typed?.over === given ? typed.text : undefined;
  const finish = () => {
    if (current !== undefined) handOn(current);
  };
  return { text: current ?? given, type, finish };
}
