// The measuring worker from the page itself, which takes the place of start-cost-worker.ts when the page is a single file.
import CostWorker from './cost-worker.ts?worker&inline';

export function startCostWorker(): Worker {
  return new CostWorker();
}
