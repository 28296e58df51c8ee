// Whatever an API server could hand out must be taken: every object of the conformance data is.
import { describe, expect, test } from 'vitest';
import { objectName } from '../../src/api/kinds.ts';
import { readWatchedObject } from '../../src/api/read-object.ts';
import { objectsIn } from '../conformance/data.ts';

const files = [
  'kube-proxy-flows.json',
  'kube-proxy-endpoint-selection.json',
  'kube-proxy-maps.json',
  'kube-proxy-rules.json',
  'kube-proxy-nft-facts.json',
  'dns-spec.json',
  'dns-coredns.json',
];

describe.each(files)('%s', (file) => {
  test('every Service, EndpointSlice and Node is read', () => {
    const watched = objectsIn(file).filter(({ kind }) => ['Service', 'EndpointSlice', 'Node'].includes(kind));
    const read = watched.map((object) => readWatchedObject(object));
    expect(read.map((object) => object?.name)).toEqual(watched.map((object) => object.metadata.name));
    expect(watched.map(objectName).length).toBeGreaterThan(0);
  });
});
