// The measuring worker from a file of its own, as any web server has it.
export function startCostWorker(): Worker {
  return new Worker(new URL('./cost-worker.ts', import.meta.url), { type: 'module' });
}
