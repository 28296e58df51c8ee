// Columns as kubectl prints them: three spaces between, at least six characters wide, nothing behind the last one.

const PADDING = 3;
const MIN_WIDTH = 6;

export function formatTable(header: readonly string[], rows: readonly (readonly string[])[], indent = ''): string {
  const lines = header.length === 0 ? rows : [header, ...rows];
  const widths = Array.from({ length: Math.max(0, ...lines.map((line) => line.length)) }, (_, column) =>
    Math.max(MIN_WIDTH, ...lines.map((line) => displayWidth(line[column] ?? '') + PADDING)),
  );
  return lines
    .map((line) => `${indent}${line.map((cell, column) => pad(cell, column === line.length - 1 ? 0 : (widths[column] ?? 0))).join('')}\n`)
    .join('');
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** Colours take no place on the screen. */
function displayWidth(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what begins a colour.
  return text.replace(/\u001b\[\d+m/g, '').length;
}
