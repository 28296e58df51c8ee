import { describe, expect, it } from 'vitest';
import { parseAddress, parsePrefix, prefixContains } from '../../src/address.ts';
import { createCluster } from '../../src/cluster.ts';
import { deployment, parse, service, spec } from './manifests.ts';

describe('cluster IPs', () => {
  it('are chosen above the static band of the range, the same for the same Service', () => {
    const addresses = ['a', 'b'].map(() => {
      const cluster = createCluster({ serviceCIDRs: ['10.43.0.0/24'] });
      cluster.apply(parse(service('web')));
      return String(spec(cluster, 'Service', 'web').clusterIP);
    });
    expect(addresses[0]).toBe(addresses[1]);
    expect(Number(addresses[0]?.split('.')[3])).toBeGreaterThan(16);
  });

  it('do not depend on what else is there', () => {
    const alone = createCluster();
    alone.apply(parse(service('web')));
    const crowded = createCluster();
    crowded.apply(parse(service('api') + service('db') + service('web')));
    expect(spec(crowded, 'Service', 'web').clusterIP).toBe(spec(alone, 'Service', 'web').clusterIP);
  });

  it('that are given win over those that are chosen, and fill a small range to the last', () => {
    const cluster = createCluster({ serviceCIDRs: ['10.0.0.0/29'] });
    cluster.apply(parse(service('a') + service('b') + service('c') + service('d') + service('e', 'clusterIP: 10.0.0.4')));
    const addresses = ['a', 'b', 'c', 'd', 'e'].map((name) => spec(cluster, 'Service', name).clusterIP);
    expect(addresses.toSorted()).toEqual(['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']);
    expect(() => cluster.apply(parse(service('f')))).toThrow('service CIDR 10.0.0.0/29: addresses: 7 needed, the limit is 6');
  });

  it('the first of the range is that of default/kubernetes', () => {
    const cluster = createCluster();
    expect(() => cluster.apply(parse(service('web', 'clusterIP: 10.96.0.1')))).toThrow('already allocated, to service default/kubernetes');
    cluster.apply(parse('{apiVersion: v1, kind: Service, metadata: {name: kubernetes}, spec: {ports: [{port: 443}]}}'));
    expect(spec(cluster, 'Service', 'kubernetes').clusterIP).toBe('10.96.0.1');
  });

  it('outside the range, or taken, are refused as an API server refuses them', () => {
    const cluster = createCluster();
    cluster.apply(parse(service('web', 'clusterIP: 10.96.0.20')));
    expect(() => cluster.apply(parse(service('api', 'clusterIP: 10.96.0.20')))).toThrow(
      'test.yaml:5:19: service default/api: spec.clusterIP "10.96.0.20": failed to allocate IP 10.96.0.20: provided IP is already allocated',
    );
    expect(() => cluster.apply(parse(service('api', 'clusterIP: 8.8.8.8')))).toThrow(
      'the provided IP is not in the valid range. The range of valid IPs is 10.96.0.0/12',
    );
  });

  it('of IPv6 come from a range of /64 or longer', () => {
    expect(() => createCluster({ ipFamilies: ['IPv6'], serviceCIDRs: ['fd00::/48'] })).toThrow(
      'serviceCIDRs "fd00::/48" is too large, expected a prefix of 64 or longer',
    );
    expect(createCluster({ ipFamilies: ['IPv6'], serviceCIDRs: ['fd00::/64'] }).serviceCIDRs).toEqual(['fd00::/64']);
  });

  it('stay with an update, and cannot be changed', () => {
    const cluster = createCluster();
    cluster.apply(parse(service('web')));
    const { clusterIP } = spec(cluster, 'Service', 'web');
    cluster.apply(parse(service('web', 'sessionAffinity: ClientIP')));
    expect(spec(cluster, 'Service', 'web')).toMatchObject({ clusterIP, sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } } });
    expect(() => cluster.apply(parse(service('web', 'clusterIP: 10.96.0.9')))).toThrow('the field is immutable');
  });

  it('are free again after a deletion', () => {
    const cluster = createCluster();
    cluster.apply(parse(service('web', 'clusterIP: 10.96.0.20')));
    cluster.delete([{ kind: 'Service', name: 'web' }]);
    cluster.apply(parse(service('api', 'clusterIP: 10.96.0.20')));
    expect(spec(cluster, 'Service', 'api').clusterIP).toBe('10.96.0.20');
  });

  it('of a dual-stack Service come from both ranges', () => {
    const cluster = createCluster({ ipFamilies: ['IPv6', 'IPv4'] });
    cluster.apply(parse(service('web', 'ipFamilyPolicy: RequireDualStack')));
    const { clusterIPs, ipFamilies } = spec(cluster, 'Service', 'web');
    expect(ipFamilies).toEqual(['IPv6', 'IPv4']);
    const [six, four] = Array.isArray(clusterIPs) ? clusterIPs.map((ip) => parseAddress(String(ip))) : [];
    const inside = (cidr: string, address: typeof six) => address !== undefined && prefixContains(parsePrefix(cidr) ?? fail(), address);
    expect(inside('fd00:10:96::/112', six ?? undefined)).toBe(true);
    expect(inside('10.96.0.0/12', four ?? undefined)).toBe(true);
  });
});

function fail(): never {
  throw new Error('not a CIDR');
}

describe('node ports', () => {
  const nodePorts = (cluster: ReturnType<typeof createCluster>, name: string) => {
    const { ports } = spec(cluster, 'Service', name);
    return Array.isArray(ports) ? ports.map((port: { nodePort?: number }) => port.nodePort) : [];
  };

  it('are chosen above the static band, and one number serves both protocols of a port', () => {
    const cluster = createCluster();
    const ports = '[{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53}, {name: metrics, port: 9153}]';
    cluster.apply(parse(service('dns', 'type: NodePort', ports)));
    const [udp, tcp, metrics] = nodePorts(cluster, 'dns');
    expect(udp).toBe(tcp);
    expect(metrics).not.toBe(tcp);
    expect(udp).toBeGreaterThanOrEqual(30086);
    expect(udp).toBeLessThanOrEqual(32767);
  });

  it('a given one wins, and belongs to one Service only', () => {
    const cluster = createCluster();
    cluster.apply(parse(service('web', 'type: NodePort', '[{port: 80, nodePort: 30080}]')));
    expect(nodePorts(cluster, 'web')).toEqual([30080]);
    const other = service('api', 'type: NodePort', '[{port: 80, protocol: UDP, nodePort: 30080}]');
    expect(() => cluster.apply(parse(other))).toThrow(
      'spec.ports[0].nodePort 30080: provided port is already allocated, to service default/web',
    );
    const outside = service('api', 'type: NodePort', '[{port: 80, nodePort: 80}]');
    expect(() => cluster.apply(parse(outside))).toThrow('The range of valid ports is 30000-32767');
  });

  it('a LoadBalancer with policy Local also gets a health check node port; one that wants no node ports gets none', () => {
    const cluster = createCluster();
    cluster.apply(
      parse(
        service('a', 'type: LoadBalancer, externalTrafficPolicy: Local') +
          service('b', 'type: LoadBalancer, allocateLoadBalancerNodePorts: false'),
      ),
    );
    expect(spec(cluster, 'Service', 'a').healthCheckNodePort).toEqual(expect.any(Number));
    expect(nodePorts(cluster, 'b')).toEqual([undefined]);
  });

  it('the health check has one of its own', () => {
    const clash = 'type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30500';
    expect(() => createCluster().apply(parse(service('web', clash, '[{port: 80, nodePort: 30500}]')))).toThrow(
      'spec.healthCheckNodePort 30500 repeats spec.ports[0].nodePort',
    );
  });

  it('stay with an update by the name of the port', () => {
    const cluster = createCluster();
    cluster.apply(parse(service('web', 'type: NodePort')));
    const before = nodePorts(cluster, 'web');
    cluster.apply(parse(service('web', 'type: NodePort', '[{port: 81}]')));
    expect(nodePorts(cluster, 'web')).toEqual(before);
    cluster.apply(parse(service('web')));
    expect(nodePorts(cluster, 'web')).toEqual([undefined]);
  });
});

describe('updates', () => {
  const apply = (...manifests: string[]) => {
    const cluster = createCluster();
    for (const manifest of manifests) cluster.apply(parse(manifest));
    return cluster;
  };

  it.each([
    [
      'spec.loadBalancerClass',
      service('web', 'type: LoadBalancer, loadBalancerClass: a'),
      service('web', 'type: LoadBalancer, loadBalancerClass: b'),
    ],
    [
      'spec.healthCheckNodePort',
      service('web', 'type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30100'),
      service('web', 'type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30101'),
    ],
    ['spec.selector', deployment('web', 1), deployment('web', 1).replaceAll('app: web', 'app: other')],
    [
      'addressType',
      '{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s}, addressType: IPv4}',
      '{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s}, addressType: IPv6}',
    ],
  ])('may not change %s', (path, before, after) => {
    expect(() => apply(before, after)).toThrow(new RegExp(`${path.replaceAll('.', '\\.')} .* differs from .*: the field is immutable`));
    expect(() => apply(before, before)).not.toThrow();
  });

  it('may leave the health check node port to the cluster', () => {
    const local = service('web', 'type: LoadBalancer, externalTrafficPolicy: Local');
    expect(() => apply(local, local, local.replace('externalTrafficPolicy: Local', 'externalTrafficPolicy: Cluster'))).not.toThrow();
  });
});
