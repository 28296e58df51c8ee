// Bars of packets a second as SVG: groups by size, one bar a variant, a logarithmic scale. Plain text, the same for the same figures.

export interface Chart {
  readonly title: string;
  readonly unit: string;
  readonly groups: readonly { readonly label: string; readonly bars: readonly { readonly variant: string; readonly value: number }[] }[];
}

const BAR = 14;
const GROUP_GAP = 26;
const LEFT = 150;
const WIDTH = 760;
const RIGHT = 90;
const TOP = 48;

const COLOURS: Readonly<Record<string, string>> = {
  wasm: '#326ce5',
  'wasm-single': '#8ab0f5',
  js: '#e0a100',
  twin: '#5b8c3a',
  'twin-staged': '#9cc77d',
  map: '#b5533c',
  native: '#777777',
  'native-prefetch': '#333333',
};

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
      parts.push(`<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${BAR - 3}" fill="${COLOURS[variant] ?? '#999999'}"/>`);
      parts.push(text(LEFT + width + 6, y + BAR - 5, `${shortNumber(value)}  ${variant}`, 'font-size="10"'));
      y += BAR;
    }
    y += GROUP_GAP;
  }
  const height = y;
  const grid: string[] = [];
  for (let tick = lowest; tick <= highest; tick *= 10) {
    grid.push(
      `<line x1="${x(tick).toFixed(1)}" y1="${TOP - 8}" x2="${x(tick).toFixed(1)}" y2="${height - GROUP_GAP + 4}" stroke="#dddddd"/>`,
    );
    grid.push(text(x(tick), TOP - 12, shortNumber(tick), 'font-size="10" text-anchor="middle" fill="#666666"'));
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(8, 18, `${title} (${unit}, logarithmic)`, 'font-weight="600" font-size="13"'),
    ...grid,
    ...parts,
    '</svg>\n',
  ].join('\n');
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
