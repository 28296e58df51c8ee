// Charts as SVG: bars of figures a second on a logarithmic scale, and bars that are made of parts. Plain text, the same for the same figures,
// legible on light pages and on dark ones.

export interface Chart {
  readonly title: string;
  readonly unit: string;
  readonly groups: readonly { readonly label: string; readonly bars: readonly { readonly variant: string; readonly value: number }[] }[];
}

/** Bars in parts: what something is made of. */
export interface Stack {
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly { readonly label: string; readonly parts: readonly (readonly [name: string, value: number])[] }[];
}

const BAR = 14;
const GROUP_GAP = 26;
const LEFT = 150;
const WIDTH = 760;
const RIGHT = 100;
const TOP = 48;

const COLOURS: Readonly<Record<string, string>> = {
  wasm: '#326ce5',
  'wasm-single': '#8ab0f5',
  js: '#d09400',
  twin: '#5b8c3a',
  'twin-staged': '#9cc77d',
  map: '#b5533c',
  native: '#a0a0a0',
  'native-prefetch': '#707070',
};

/** Of parts, in the order of their first appearance; the last one is for all that come after. */
const PART_COLOURS = ['#326ce5', '#d09400', '#5b8c3a', '#b5533c', '#7d5bbe', '#2a9d8f', '#c06c9a', '#8ab0f5', '#b8a14a', '#8a8a8a'];

const STYLE =
  '<style>.page{fill:#fff}text{fill:#222}.quiet{fill:#666}.grid{stroke:#ddd}' +
  '@media(prefers-color-scheme:dark){.page{fill:#0d1117}text{fill:#e6edf3}.quiet{fill:#9aa4af}.grid{stroke:#30363d}}</style>';

export function chartSvg({ title, unit, groups }: Chart): string {
  const values = groups.flatMap(({ bars }) => bars.map(({ value }) => value));
  const lowest = 10 ** Math.floor(Math.log10(Math.min(...values)));
  const highest = 10 ** Math.ceil(Math.log10(Math.max(...values)));
  const span = Math.log10(highest / lowest) || 1;
  const x = (value: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * Math.log10(value / lowest)) / span;
  let y = TOP;
  const parts: string[] = [];
  for (const { label, bars } of groups) {
    parts.push(text(8, y + (bars.length * BAR) / 2 + 4, label, 'font-weight="600"'));
    for (const { variant, value } of bars) {
      const width = Math.max(1, x(value) - LEFT);
      parts.push(rect(LEFT, y, width, COLOURS[variant] ?? '#999999'));
      parts.push(text(LEFT + width + 6, y + BAR - 5, `${shortNumber(value)}  ${variant}`, 'font-size="10"'));
      y += BAR;
    }
    y += GROUP_GAP;
  }
  const ticks: number[] = [];
  for (let tick = lowest; tick <= highest; tick *= 10) ticks.push(tick);
  return page(`${title} (${unit}, logarithmic)`, y, [...grid(ticks, x, y), ...parts]);
}

/** Bars from 0, each in its parts, with a legend. */
export function stackSvg({ title, unit, bars }: Stack): string {
  const names = [...new Set(bars.flatMap(({ parts }) => parts.map(([name]) => name)))];
  const colourOf = (name: string) => PART_COLOURS[Math.min(names.indexOf(name), PART_COLOURS.length - 1)] ?? '';
  const sums = bars.map(({ parts }) => parts.reduce((sum, [, value]) => sum + value, 0));
  const most = Math.max(...sums);
  const x = (value: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * value) / most;
  let y = TOP;
  const shapes: string[] = [];
  for (const [index, { label, parts }] of bars.entries()) {
    shapes.push(text(8, y + BAR - 4, label, ''));
    let sum = 0;
    for (const [name, value] of parts) {
      shapes.push(rect(x(sum), y, x(sum + value) - x(sum), colourOf(name)));
      sum += value;
    }
    shapes.push(text(x(sums[index] ?? 0) + 6, y + BAR - 5, shortNumber(sums[index] ?? 0), 'font-size="10"'));
    y += BAR + 8;
  }
  y += 8;
  let at = LEFT;
  for (const name of names) {
    const width = 24 + name.length * 6;
    if (at + width > WIDTH) {
      at = LEFT;
      y += BAR + 2;
    }
    shapes.push(rect(at, y, 10, colourOf(name)), text(at + 14, y + BAR - 5, name, 'font-size="10"'));
    at += width;
  }
  return page(`${title} (${unit})`, y + GROUP_GAP, [...grid([0, most / 2, most], x, y - BAR), ...shapes]);
}

function page(title: string, height: number, shapes: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escapeText(title)}</title>`,
    STYLE,
    `<rect class="page" width="${WIDTH}" height="${height}"/>`,
    text(8, 18, title, 'font-weight="600" font-size="13"'),
    ...shapes,
    '</svg>\n',
  ].join('\n');
}

function grid(ticks: readonly number[], x: (value: number) => number, height: number): string[] {
  return ticks.flatMap((tick) => {
    const at = x(tick).toFixed(1);
    const line = `<line class="grid" x1="${at}" y1="${TOP - 8}" x2="${at}" y2="${height - GROUP_GAP + 4}"/>`;
    return [line, text(x(tick), TOP - 12, shortNumber(tick), 'class="quiet" font-size="10" text-anchor="middle"')];
  });
}

function rect(x: number, y: number, width: number, fill: string): string {
  return `<rect x="${Number(x.toFixed(1))}" y="${y}" width="${width.toFixed(1)}" height="${BAR - 3}" fill="${fill}"/>`;
}

function text(x: number, y: number, words: string, attributes: string): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escapeText(words)}</text>`;
}

/** `2.4 M`, `310 k`. */
function shortNumber(value: number): string {
  if (value >= 1e6) return `${trimmed(value / 1e6)} M`;
  return value >= 1e3 ? `${trimmed(value / 1e3)} k` : trimmed(value);
}

function trimmed(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function escapeText(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
