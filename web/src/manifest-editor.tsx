// The YAML, with line numbers, its problems at their lines, and a place to drop files.
import { useRef, useState } from 'preact/hooks';
import type { Problem } from './world.ts';

const LINE_EM = 1.5;

export interface ManifestEditorProps {
  readonly text: string;
  readonly problems: readonly Problem[];
  readonly onChange: (text: string) => void;
}

export function ManifestEditor({ text, problems, onChange }: ManifestEditorProps) {
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
          onInput={(event) => onChange(event.currentTarget.value)}
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
