// Runs a command line in process, and keeps what it says and its exit code.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/cli/run.ts';

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function svcplane(
  argv: readonly string[],
  io: { stdin?: string | Uint8Array; isTTY?: boolean; env?: Record<string, string>; untilStopped?: () => Promise<void> } = {},
): Promise<Answer> {
  let stdout = '';
  let stderr = '';
  const code = await run(argv, {
    stdout: (result) => {
      // Of bytes, a letter for each.
      stdout += typeof result === 'string' ? result : Buffer.from(result).toString('latin1');
    },
    stderr: (text) => {
      stderr += text;
    },
    stdin: () => Buffer.from(io.stdin ?? ''),
    isTTY: io.isTTY ?? false,
    env: io.env ?? {},
    now: () => Date.parse('2025-01-01T00:00:00Z'),
    untilStopped: io.untilStopped ?? (() => Promise.resolve()),
  });
  return { code, stdout, stderr };
}

/** A fresh directory with these files. */
export function directoryWith(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'svcplane-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}
