// The parent's side of one variant: starts its process, asks it, and ends it.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Replies, Reply, Request } from './messages.ts';
import type { VariantName } from './variants.ts';

/** A million connections as objects and strings need more than V8 takes by itself. */
const CHILD_FLAGS = ['--max-old-space-size=6144', '--expose-gc'];

export class VariantProcess implements Disposable {
  readonly variant: VariantName;
  readonly #child: ChildProcess;

  /** @param flags more flags for node */
  constructor(variant: VariantName, flags: readonly string[] = []) {
    this.variant = variant;
    this.#child = fork(fileURLToPath(new URL('./child.ts', import.meta.url)), {
      execArgv: [...CHILD_FLAGS, ...flags, '--import', 'tsx'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  }

  /** @throws Error when the variant fails, or its process ends */
  async ask<Kind extends Request['kind']>(request: Extract<Request, { kind: Kind }>): Promise<Replies[Kind]> {
    const reply = await this.#reply(request);
    if (reply.kind === 'failed') throw new Error(`${this.variant}: ${reply.message}`);
    if (isReplyTo(request, reply)) return reply;
    throw new Error(`${this.variant} answered ${reply.kind} to ${request.kind}`);
  }

  [Symbol.dispose](): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  #reply(request: Request): Promise<Reply> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null, signal: string | null): void => {
        child.off('message', onMessage);
        reject(new Error(`the process of ${this.variant} ended (${signal ?? code}) while asked for ${request.kind}`));
      };
      const onMessage = (reply: Reply): void => {
        child.off('exit', onExit);
        resolve(reply);
      };
      child.once('exit', onExit);
      child.once('message', onMessage);
      child.send(request);
    });
  }
}

function isReplyTo<Kind extends Request['kind']>(request: Extract<Request, { kind: Kind }>, reply: Reply): reply is Replies[Kind] {
  return reply.kind === request.kind;
}
