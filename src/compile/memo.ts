// Remembers what was compiled of a ServicePort: state/ keeps the identity of what did not change, so an unchanged one costs a look-up.
import type { ServicePortState } from '../state/expected-state.ts';

/** Contexts remembered at once: dataplanes of one process that differ in their options are few. */
const CONTEXTS_MAX = 64;

/**
 * Wraps a pure compiler of one ServicePort. Contexts are told apart by their JSON text; a ServicePort that is no longer part of
 * any state is forgotten with it.
 */
export function rememberServicePorts<Context, Rules>(
  compileOne: (state: ServicePortState, context: Context) => Rules,
): (context: Context) => (state: ServicePortState) => Rules {
  const byContext = new Map<string, WeakMap<ServicePortState, Rules>>();
  return (context) => {
    const key = JSON.stringify(context);
    const known = byContext.get(key) ?? new WeakMap<ServicePortState, Rules>();
    if (!byContext.has(key) && byContext.size >= CONTEXTS_MAX) byContext.clear();
    byContext.set(key, known);
    return (state) => {
      const found = known.get(state) ?? compileOne(state, context);
      known.set(state, found);
      return found;
    };
  };
}
