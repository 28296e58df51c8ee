// `svcplane dns serve` in process, on a free port of the loopback, until the test has asked everything.
import { run } from '../../src/cli/run.ts';

export interface ServedDns {
  readonly port: number;
  /** What it has said on standard error since the last call; waits until there is something. */
  said(): Promise<string>;
  /** Stops it and returns its exit code. */
  stop(): Promise<number>;
}

export async function serveDnsOf(argv: readonly string[]): Promise<ServedDns> {
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  let stderr = '';
  let heard = () => {};
  let listens = (_line: string) => {};
  const listening = new Promise<string>((resolve) => {
    listens = resolve;
  });
  const code = run(['dns', 'serve', '--listen', '127.0.0.1:0', ...argv], {
    stdout: (result) => listens(String(result)),
    stderr: (text) => {
      stderr += text;
      heard();
    },
    stdin: () => new Uint8Array(),
    isTTY: false,
    env: {},
    now: () => 0,
    untilStopped: () => stopped,
  });
  const line = await Promise.race([listening, code.then((exit) => Promise.reject(new Error(`ended with ${exit}: ${stderr}`)))]);
  return {
    port: Number(/:(\d+), UDP and TCP/.exec(line)?.[1]),
    async said() {
      if (stderr === '') {
        await new Promise<void>((resolve) => {
          heard = resolve;
        });
      }
      const text = stderr;
      stderr = '';
      return text;
    },
    stop() {
      stop();
      return code;
    },
  };
}
