// The ranges of cluster IPs, as ServiceCIDR objects say them: nftables mode drops what goes to an address of theirs that no Service has.
import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../src/api/types.ts';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Dataplane, DataplaneOptions } from '../../src/dataplane-types.ts';

function serviceCIDR(name: string, cidrs: readonly string[]): KubernetesObject {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name }, spec: { cidrs } };
}

function nodeWith(objects: readonly KubernetesObject[], options: DataplaneOptions = {}): Dataplane {
  const dataplane = createDataplaneSync({ mode: 'nftables', seed: 1, nodeIPs: ['192.168.0.1', '2001:db8::1'], ...options });
  dataplane.apply(objects);
  return dataplane;
}

/** What becomes of a Pod's packet there. */
function actionOn(dataplane: Dataplane, destination: string): string {
  const source = destination.includes(':') ? 'fd00:10:244::5' : '10.244.0.5';
  return dataplane.process({ protocol: 'TCP', source, sourcePort: 40000, destination, destinationPort: 80 }).action;
}

describe('ServiceCIDR objects', () => {
  test('name ranges of both families', () => {
    const dataplane = nodeWith([serviceCIDR('kubernetes', ['10.43.0.0/16', 'fd43::/112'])]);

    expect(['10.43.7.7', '10.44.0.1', 'fd43::77', 'fd44::1'].map((address) => actionOn(dataplane, address))).toEqual([
      'DROP',
      'ACCEPT',
      'DROP',
      'ACCEPT',
    ]);
  });

  test('come on top of each other and of the option', () => {
    const objects = [serviceCIDR('kubernetes', ['10.43.0.0/16']), serviceCIDR('more', ['10.45.0.0/24'])];
    const dataplane = nodeWith(objects, { serviceCIDRs: ['10.96.0.0/12'] });

    expect(['10.43.7.7', '10.45.0.1', '10.96.7.7'].map((address) => actionOn(dataplane, address))).toEqual(['DROP', 'DROP', 'DROP']);
  });

  test('change and go', () => {
    const dataplane = nodeWith([serviceCIDR('kubernetes', ['10.43.0.0/16'])]);

    dataplane.apply([serviceCIDR('kubernetes', ['10.44.0.0/16'])]);
    expect(['10.43.7.7', '10.44.0.1'].map((address) => actionOn(dataplane, address))).toEqual(['ACCEPT', 'DROP']);

    dataplane.delete([{ kind: 'ServiceCIDR', name: 'kubernetes' }]);
    expect(actionOn(dataplane, '10.44.0.2')).toBe('ACCEPT');
  });

  test('with a range that is none are refused, and nothing changes', () => {
    const dataplane = nodeWith([serviceCIDR('kubernetes', ['10.43.0.0/16'])]);

    const wrong = serviceCIDR('kubernetes', ['10.43.0.0']);
    expect(() => dataplane.apply([wrong])).toThrow('servicecidr kubernetes: spec.cidrs[0] "10.43.0.0" is not a CIDR');
    expect(actionOn(dataplane, '10.43.7.7')).toBe('DROP');
  });

  test('say nothing in iptables mode', () => {
    const dataplane = nodeWith([serviceCIDR('kubernetes', ['10.43.0.0/16'])], { mode: 'iptables' });

    expect(actionOn(dataplane, '10.43.7.7')).toBe('ACCEPT');
  });
});
