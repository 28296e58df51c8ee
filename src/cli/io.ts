// What the command line touches of the outside world, so that tests can stand in for it; and its few colours.

export interface Io {
  /** Results: text, or the bytes of a file. */
  stdout(result: string | Uint8Array): void;
  /** Everything else: notes, warnings, errors. */
  stderr(text: string): void;
  /**
   * All of standard input, for `-`. `isCapture`: an interrupt is meant for the program that writes it, as for tcpdump at the other end of a
   * pipe, and all it has written is read.
   */
  stdin(options?: { readonly isCapture?: boolean }): Uint8Array;
  /** Standard output is a terminal. */
  readonly isTTY: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since 1970, for ages. */
  now(): number;
  /** Until the person or the system asks the process to stop. What serves on and on waits for it. */
  untilStopped(): Promise<void>;
}

/** Wrong arguments: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Input that cannot be read, or that lacks what the arguments name: exit code 3. */
export class InputError extends Error {
  override name = 'InputError';
}

export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
}

/** Colours on a terminal that has not asked for none (NO_COLOR); plain text everywhere else. */
export function paintFor(io: Io): Paint {
  const isColoured = io.isTTY && !io.env.NO_COLOR;
  const sgr = (on: number, off: number) => (text: string) => (isColoured && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text);
  return { bold: sgr(1, 22), dim: sgr(2, 22), green: sgr(32, 39), red: sgr(31, 39), yellow: sgr(33, 39) };
}

/** `note: …`, where it cannot get into a result. */
export function note(io: Io, text: string): void {
  io.stderr(`note: ${text}\n`);
}

/** JSON for programs: what it is and of which version first. */
export function writeJson(io: Io, kind: string, fields: Readonly<Record<string, unknown>>): void {
  io.stdout(`${JSON.stringify({ apiVersion: 'svcplane/v1', kind, ...fields }, undefined, 2)}\n`);
}
