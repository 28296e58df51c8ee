// Packet flows of conformance/kube-proxy-flows.json, in the modes that they name, on both engines.
import { describe, test } from 'vitest';
import { FLOWS, runFlow } from './flow-run.ts';
import { disputed, waiting } from './lists.ts';

describe.each(['wasm', 'js'] as const)('packet flows on the %s engine', (engine) => {
  for (const flow of FLOWS) {
    for (const mode of flow.modes) {
      const name = `${mode}: ${flow.id}: ${flow.title}`;
      const reason = waiting[flow.id];
      if (disputed[flow.id] !== undefined) test.skip(`${name} [disputed: ${disputed[flow.id]}]`, () => {});
      // A case that waits must fail: once it passes, it leaves the list.
      else if (reason !== undefined) test.fails(`${name} [waits for: ${reason}]`, () => runFlow(flow, mode, engine));
      else test(name, () => runFlow(flow, mode, engine));
    }
  }
});
