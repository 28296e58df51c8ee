// The process inside a namespace: `tsx agent.ts PLACE`. Reads requests from stdin, answers on stdout, and ends with its stdin.
// It listens on the addresses it is told and opens the connections it is told; it judges nothing.
import { createInterface } from 'node:readline';
import { openConnection } from './agent-client.ts';
import { ListenerSet } from './agent-server.ts';
import type { Attempt, Observation, Place, Request, Response } from './wire.ts';

/** Connections open at once. */
const CONCURRENCY = 150;

const listeners = new ListenerSet(process.argv[2] as Place);

async function openAll(attempts: readonly Attempt[]): Promise<Observation[]> {
  const observations: Observation[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < attempts.length; index = next++) {
      const attempt = attempts[index];
      if (attempt !== undefined) observations[index] = await openConnection(attempt);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, attempts.length) }, worker));
  return observations;
}

async function answer(request: Request): Promise<Response> {
  try {
    if (request.op === 'connect') return { id: request.id, observations: await openAll(request.attempts) };
    await listeners.become(request.listeners);
    return { id: request.id, observations: [] };
  } catch (error) {
    return { id: request.id, error: String(error) };
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  void answer(JSON.parse(line) as Request).then((response) => process.stdout.write(`${JSON.stringify(response)}\n`));
});
lines.on('close', () => process.exit(0));
