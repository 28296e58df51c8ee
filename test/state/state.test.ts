import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyState, endpoint, node, service, slice } from './objects.ts';

describe('what did not change keeps its identity', () => {
  test('nothing new: the same expected state', () => {
    const state = emptyState();
    state.apply([service('a'), slice('a-1', 'a', [endpoint('10.1.0.1')])]);
    const before = state.expectedState('IPv4');
    state.apply([service('a'), slice('a-1', 'a', [endpoint('10.1.0.1')]), slice('x', 'nobody', [])]);
    expect(state.expectedState('IPv4')).toBe(before);
  });

  test('a slice changes the ServicePorts of its own Service alone', () => {
    const state = emptyState();
    state.apply([service('a'), service('b'), slice('a-1', 'a', [endpoint('10.1.0.1')]), slice('b-1', 'b', [endpoint('10.1.0.2')])]);
    const [a, b] = state.expectedState('IPv4').servicePorts;
    state.apply([slice('b-1', 'b', [endpoint('10.1.0.2'), endpoint('10.1.0.3')])]);
    const after = state.expectedState('IPv4').servicePorts;
    expect(after[0]).toBe(a);
    expect(after[1]).not.toBe(b);
    expect(after[1]?.servicePort).toBe(b?.servicePort);
  });

  test('of a Service with two ports, only the port that changed is new', () => {
    const ports = [
      { name: 'http', port: 80 },
      { name: 'https', port: 443 },
    ];
    const state = emptyState();
    state.apply([service('a', { ports })]);
    const [http, https] = state.expectedState('IPv4').servicePorts;
    state.apply([
      service('a', {
        ports: [
          { name: 'http', port: 81 },
          { name: 'https', port: 443 },
        ],
      }),
    ]);
    const after = state.expectedState('IPv4').servicePorts;
    expect(after[0]).not.toBe(http);
    expect(after[1]).toBe(https);
  });

  test('a zone that makes no difference changes nothing', () => {
    const state = emptyState();
    state.apply([node('n1', 'a'), service('a'), slice('a-1', 'a', [endpoint('10.1.0.1')])]);
    const before = state.expectedState('IPv4');
    state.apply([node('n1', 'b')]);
    expect(state.expectedState('IPv4')).toBe(before);
  });

  test('an endpoint that never was used counts, and changes no ServicePort', () => {
    const unready = endpoint('10.1.0.2', { conditions: { ready: false } });
    const state = emptyState();
    state.apply([service('a'), slice('a-1', 'a', [endpoint('10.1.0.1')])]);
    const before = state.expectedState('IPv4');
    state.apply([slice('a-1', 'a', [endpoint('10.1.0.1'), unready])]);
    const after = state.expectedState('IPv4');
    expect(after.servicePorts[0]).toBe(before.servicePorts[0]);
    expect([before.endpointCount, after.endpointCount]).toEqual([1, 2]);
  });
});

test('endpoints of Services that do not exist are not counted', () => {
  const state = emptyState();
  state.apply([slice('a-1', 'a', [endpoint('10.1.0.1')])]);
  expect(state.expectedState('IPv4').endpointCount).toBe(0);
  state.apply([service('a')]);
  expect(state.expectedState('IPv4').endpointCount).toBe(1);
});

test('deleting what is not there does nothing', () => {
  const state = emptyState();
  state.apply([service('a')]);
  const before = state.expectedState('IPv4');
  state.delete([
    { kind: 'Service', namespace: 'ns', name: 'b' },
    { kind: 'EndpointSlice', name: 'x' },
    { kind: 'Pod', namespace: 'ns', name: 'a' },
  ]);
  expect(state.expectedState('IPv4')).toBe(before);
});

test('any order of changes ends in the state of the objects that are left', () => {
  const names = ['a', 'a-b', 'b'];
  const change = fc.oneof(
    fc.record({
      kind: fc.constant('service' as const),
      name: fc.constantFrom(...names),
      ports: fc.uniqueArray(fc.constantFrom('', 'x', 'y'), { maxLength: 3 }),
    }),
    fc.record({
      kind: fc.constant('slice' as const),
      name: fc.constantFrom('s1', 's2', 's3'),
      of: fc.constantFrom(...names),
      octets: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
    }),
    fc.record({
      kind: fc.constant('delete' as const),
      what: fc.constantFrom('Service', 'EndpointSlice'),
      name: fc.constantFrom(...names, 's1', 's2', 's3'),
    }),
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
      const live = emptyState();
      const left = new Map<string, ReturnType<typeof service> | ReturnType<typeof slice>>();
      for (const step of changes) {
        if (step.kind === 'delete') {
          live.delete([{ kind: step.what, namespace: 'ns', name: step.name }]);
          left.delete(`${step.what}/${step.name}`);
        } else {
          const object =
            step.kind === 'service'
              ? service(step.name, { ports: step.ports.map((name, index) => ({ name, port: 80 + index })) })
              : slice(
                  step.name,
                  step.of,
                  step.octets.map((octet) => endpoint(`10.1.0.${octet}`)),
                );
          live.apply([object]);
          left.set(`${object.kind}/${object.name}`, object);
        }
        live.expectedState('IPv4');
      }
      const fresh = emptyState();
      fresh.apply(left.values());
      expect(live.expectedState('IPv4')).toEqual(fresh.expectedState('IPv4'));
    }),
    { seed: 20260726, numRuns: 300 },
  );
});
