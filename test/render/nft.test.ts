// What nft refuses of a whole table, and kube-proxy's own words could hold.
import { expect, test } from 'vitest';
import { createDataplaneSync } from '../../src/dataplane.ts';

test('the comment of an element ends at the 128 characters that nft takes', () => {
  const namespace = 'n'.repeat(63);
  const name = 's'.repeat(63);
  const dataplane = createDataplaneSync({ mode: 'nftables', engine: 'js' });
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { namespace, name } };
  dataplane.apply([{ ...service, spec: { clusterIP: '172.30.0.1', ports: [{ name: 'p'.repeat(63), port: 80 }] } }]);
  const text = dataplane.render()[0]?.text ?? '';
  expect(text).toContain(`172.30.0.1 . tcp . 80 comment "${namespace}/${name}:" : goto reject-chain`);
});
