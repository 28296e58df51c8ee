// What JavaScript lets callers do against the types: each has an answer in words, and nothing is taken for something else in silence.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createCluster } from '../../src/cluster.ts';
import { createClusterDns } from '../../src/dns.ts';
import {
  createDataplane,
  createDataplaneSync,
  InvalidArgumentError,
  InvalidObjectError,
  parseConfig,
  parseManifests,
} from '../../src/index.ts';
import { createIpvsSync } from '../../src/ipvs.ts';

const PACKET = { protocol: 'TCP', source: '10.0.0.1', sourcePort: 40000, destination: '10.96.0.1', destinationPort: 80 } as const;
const SERVICE = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { clusterIP: '10.96.0.1', ports: [{ port: 80 }] } };

/** What a call that the types would refuse says. */
function refusal(call: () => unknown): string {
  let said = '';
  expect(() => {
    try {
      call();
    } catch (error) {
      said = error instanceof Error ? error.message : '';
      throw error;
    }
  }).toThrow(InvalidArgumentError);
  return said;
}

test.each<[options: unknown, message: string]>([
  [{ nodename: 'a' }, 'option "nodename" is unknown, did you mean nodeName?'],
  ['iptables', 'options "iptables" is not an object'],
  [{ now: 5 }, 'now 5 is not a function'],
  [{ onWarning: 'yes' }, 'onWarning "yes" is not a function'],
  [{ config: { clusterCidr: '10.0.0.0/8' } }, 'config.clusterCidr "10.0.0.0/8" is unknown, did you mean clusterCIDR?'],
  [{ config: { ipvs: { strictArp: true } } }, 'config.ipvs.strictArp true is unknown, did you mean strictARP?'],
  [{ sysctls: { 'net.netfilter.nf_conntrack_upd_timeout': 1 } }, 'did you mean net.netfilter.nf_conntrack_udp_timeout?'],
])('the options %j of a dataplane', (options, message) => {
  expect(refusal(() => createDataplaneSync(options as object))).toContain(message);
});

test('options and fields that are like none of these are somebody else’s', async () => {
  const options = { logger: 1, config: { bindAddress: '0.0.0.0', ipvs: { excludeCIDRs: [], syncPeriod: '30s' }, conntrack: { min: 1 } } };
  using dataplane = await createDataplane({ ...options, sysctls: { 'net.netfilter.nf_conntrack_buckets': 65536 } });
  expect(dataplane.mode).toBe('iptables');
});

test('a misspelt field of a configuration file has its place', () => {
  const text = 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nconntrack:\n  udptimeout: 3s\n';
  expect(() => parseConfig(text, 'proxy.yaml')).toThrow(InvalidObjectError);
  expect(() => parseConfig(text, 'proxy.yaml')).toThrow(
    /^proxy\.yaml:4:15: .*conntrack\.udptimeout "3s" is unknown, did you mean udpTimeout\?$/,
  );
});

test.each<[options: unknown, message: string]>([
  [{ node: 2 }, 'option "node" is unknown, did you mean nodes?'],
  [{ nodes: ['a'] }, 'nodes[0].name undefined is not a name'],
  [{ nodes: [{ name: 'a' }, { name: 'a' }] }, 'nodes[1].name "a" is there already'],
  [{ serviceCIDRs: '10.96.0.0/16' }, 'serviceCIDRs "10.96.0.0/16" is not a list'],
  [{ ipFamilies: 'IPv6' }, 'ipFamilies "IPv6" is not IPv4, IPv6 or both'],
])('the options %j of a cluster', (options, message) => {
  expect(refusal(() => createCluster(options as object))).toContain(message);
});

test.each<[objects: unknown, message: string]>([
  [undefined, 'objects undefined is not a list of objects'],
  [SERVICE, 'is not a list of objects'],
  ['kind: Service', 'objects "kind: Service" is not a list of objects'],
  [[1], 'objects[0] 1 is not a Kubernetes object, expected apiVersion, kind and metadata.name'],
  [
    [SERVICE, { kind: 'Service', metadata: { name: 'a' } }],
    'objects[1] {"kind":"Service","metadata":{"name":"a"}} is not a Kubernetes object',
  ],
  [[{ apiVersion: 'v1', kind: 'List', items: [SERVICE] }], 'is a List, expected its items'],
])('objects that are none, %j, are refused by whatever takes objects', async (objects, message) => {
  for (const consumer of [createDataplaneSync(), createCluster(), await createClusterDns()]) {
    expect(refusal(() => consumer.apply(objects as []))).toContain(message);
  }
});

test('a list with a hole says what one with null says', async () => {
  const holed = (name: string, item: unknown) => {
    const list = [];
    list[1] = item;
    return { ...SERVICE, spec: { ...SERVICE.spec, [name]: list } };
  };
  const refusals = (...given: [name: string, item: unknown]) =>
    [createDataplaneSync(), createCluster()].map((consumer) => () => consumer.apply([holed(...given)]));
  for (const apply of refusals('externalIPs', '192.0.2.1')) expect(apply).toThrow(/spec\.externalIPs\[0\] (is missing|null is not an IP)/);
  for (const apply of refusals('ports', { port: 80 })) expect(apply).toThrow(/spec\.ports\[0\](\.port is missing| null is not an object)/);
  const slice = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: 'web-1' }, addressType: 'IPv4' };
  const endpoints = holed('endpoints', { addresses: ['10.244.0.5'] }).spec;
  expect(() => createCluster().apply([{ ...slice, ...endpoints }])).toThrow('endpoints[0].addresses holds 0 addresses');
  for (const consumer of [createDataplaneSync(), await createClusterDns()]) consumer.apply([{ ...slice, ...endpoints }]);
});

test.each<[refs: unknown, message: string]>([
  [['Service/web'], 'refs[0] "Service/web" is not a reference, expected kind and name'],
  [[SERVICE], 'is not a reference, expected kind and name'],
  [{ kind: 'Service', name: 'web' }, 'is not a list of refs'],
])('references that are none, %j', async (refs, message) => {
  for (const consumer of [createDataplaneSync(), createCluster(), await createClusterDns()]) {
    expect(refusal(() => consumer.delete(refs as []))).toContain(message);
  }
});

test.each(['wasm', 'js'] as const)('batches and rings of another dataplane, %s', (engine) => {
  using own = createDataplaneSync({ engine });
  using other = createDataplaneSync({ engine });
  expect(refusal(() => other.processBatch(own.createBatch(1)))).toContain('was not made by createBatch of this dataplane');
  expect(refusal(() => other.processFrames(own.createFrameRing(1)))).toContain('was not made by createFrameRing of this dataplane');
  expect(refusal(() => other.createFrameRing(1, { transmit: own.createFrameRing(1) }))).toContain('transmit');
  expect(refusal(() => own.createBatch(1, { family: 'ipv6' as 'IPv6' }))).toContain('family "ipv6" is not one of IPv4, IPv6');
  expect(refusal(() => own.createFrameRing(1).set(0, 'abc' as unknown as Uint8Array))).toContain('frame "abc" is not a Uint8Array');
});

test('packets that lack an address, or are none', () => {
  using dataplane = createDataplaneSync();
  const lacking = { ...PACKET, destination: undefined as unknown as string };
  expect(refusal(() => dataplane.process(lacking))).toBe('packet.destination undefined is not an IP address');
  for (const verb of ['process', 'explain', 'trace'] as const) {
    expect(refusal(() => dataplane[verb](undefined as unknown as typeof PACKET))).toBe('packet.source undefined is not an IP address');
  }
});

test('the bytes of a file in place of its text', () => {
  expect(refusal(() => parseManifests(readFileSync('examples/hostnames.yaml') as unknown as string))).toMatch(
    /^text \{"type":"Buffer","data":\[.{70,80}… is not a string \(of a file: readFileSync\(name, 'utf8'\)\)$/,
  );
});

test('a clock that is no function, of a cluster, an IPVS and a DNS', async () => {
  const options = { now: 5 } as unknown as object;
  expect(refusal(() => createIpvsSync(options))).toBe('options.now 5 is not a function');
  expect(refusal(() => createCluster(options))).toBe('now 5 is not a function');
  await expect(createClusterDns(options)).rejects.toThrow('now 5 is not a function');
});

test.each<[number, string]>([
  [-5, '-5'],
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
])('a clock that says %s, whichever the engine: nothing changes', (moment, shown) => {
  const expected = `now() ${shown} is not a number of milliseconds from 0`;
  for (const engine of ['wasm', 'js'] as const) {
    let time = 1000;
    const options = { engine, now: () => time };
    using dataplane = createDataplaneSync(options);
    using ipvs = createIpvsSync(options);
    const cluster = createCluster({ now: options.now });
    time = moment;
    expect(refusal(() => dataplane.process(PACKET))).toBe(expected);
    expect(refusal(() => dataplane.apply([SERVICE]))).toBe(expected);
    expect(refusal(() => ipvs.addService({ protocol: 'TCP', address: '10.96.0.1', port: 80 }))).toBe(`options.${expected}`);
    expect(refusal(() => cluster.apply([SERVICE]))).toBe(expected);
    time = 2000;
    expect(cluster.objects('Service')).toEqual([]);
    expect(dataplane.servicePorts()).toEqual([]);
    expect(dataplane.process(PACKET).action).toBe('ACCEPT');
    expect(ipvs.services()).toEqual([]);
  }
});
