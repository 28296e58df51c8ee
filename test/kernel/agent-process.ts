// The test's side of a process inside a namespace: starts it, asks it, ends it by its handle.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Attempt, Listener, Observation, Place, Request, Response } from './wire.ts';

const AGENT = fileURLToPath(new URL('agent.ts', import.meta.url));

interface Waiting {
  resolve(observations: readonly Observation[]): void;
  reject(error: Error): void;
}

/** What a request is, before it has its id. */
type Question =
  | { readonly op: 'listen'; readonly listeners: readonly Listener[] }
  | { readonly op: 'connect'; readonly attempts: readonly Attempt[] };

export class AgentProcess {
  readonly #place: Place;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor(place: Place, namespace: string) {
    this.#place = place;
    this.#child = spawn('ip', ['netns', 'exec', namespace, process.execPath, '--import', 'tsx', AGENT, place], { stdio: 'pipe' });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#take(JSON.parse(line) as Response));
    let complaints = '';
    this.#child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      complaints += chunk;
    });
    this.#child.stdin.on('error', () => {});
    this.#child.on('error', (error) => this.#fail(error));
    this.#child.on('exit', (code) => this.#fail(new Error(`the process in ${place} ended with ${code}: ${complaints}`)));
  }

  async listen(listeners: readonly Listener[]): Promise<void> {
    await this.#ask({ op: 'listen', listeners });
  }

  /** One observation for each attempt, in the same order. */
  connect(attempts: readonly Attempt[]): Promise<readonly Observation[]> {
    return attempts.length === 0 ? Promise.resolve([]) : this.#ask({ op: 'connect', attempts });
  }

  [Symbol.dispose](): void {
    this.#child.removeAllListeners('exit');
    this.#fail(new Error(`the process in ${this.#place} was ended`));
    this.#child.stdin.end();
    this.#child.kill();
  }

  #ask(question: Question): Promise<readonly Observation[]> {
    const id = ++this.#lastId;
    const request: Request = { id, ...question };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    });
  }

  #take(response: Response): void {
    const waiting = this.#waiting.get(response.id);
    this.#waiting.delete(response.id);
    if ('error' in response) waiting?.reject(new Error(`the process in ${this.#place}: ${response.error}`));
    else waiting?.resolve(response.observations);
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
