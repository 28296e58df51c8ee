// Labels, selectors and annotations as an API server takes them.
import { describe, expect, test } from 'vitest';
import { annotationProblems, isQualifiedName, labelProblems } from '../../src/cluster/label-validation.ts';
import { validateObjects } from '../../src/cluster.ts';
import { parse } from './manifests.ts';

const messages = (manifest: string) => validateObjects(parse(manifest)).map(({ path, message }) => `${path} ${message}`);

describe('labels', () => {
  test.each(['app', 'app.kubernetes.io/name', 'a', 'A_b-c.d', '0'])('%s is a key', (key) => {
    expect(isQualifiedName(key)).toBe(true);
  });

  test.each(['', '-a', 'a-', 'a/b/c', '/a', 'A.b/c', 'a b', 'a'.repeat(64)])('%j is none', (key) => {
    expect(isQualifiedName(key)).toBe(false);
  });

  test('have values of a form, or none', () => {
    expect(labelProblems('metadata.labels', { a: '', b: 'x.y_z-1' })).toEqual([]);
    expect(labelProblems('metadata.labels', { a: 'x y' })).toMatchObject([{ path: 'metadata.labels', value: 'x y' }]);
  });

  test('that are numbers must be quoted', () => {
    expect(messages('{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {version: 1}, ports: [{port: 80}]}}')).toEqual(
      ['spec.selector 1 of version is not text: write it in quotes'],
    );
    const pod = '{apiVersion: v1, kind: Pod, metadata: {name: p, labels: {on: true}}, spec: {containers: [{name: c}]}}';
    expect(messages(pod)).toEqual(['metadata.labels true of on is not text: write it in quotes']);
    const template = '{metadata: {labels: {app: web, v: 2}}, spec: {containers: [{name: c}]}}';
    expect(
      messages(
        `{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {selector: {matchLabels: {app: web}}, template: ${template}}}`,
      ),
    ).toEqual(['spec.template.metadata.labels 2 of v is not text: write it in quotes']);
  });

  test('annotations may hold any text', () => {
    expect(annotationProblems('metadata.annotations', { 'Example.com/a': 'any text\n' })).toEqual([]);
    expect(annotationProblems('metadata.annotations', { 'a b': '' })).toHaveLength(1);
  });
});

describe('a Service', () => {
  const service = (metadata: string, spec: string) =>
    messages(`{apiVersion: v1, kind: Service, metadata: {name: web${metadata}}, spec: {${spec}}}`);

  test('whose topology annotations contradict each other', () => {
    const annotations = ', annotations: {service.kubernetes.io/topology-mode: Auto, service.kubernetes.io/topology-aware-hints: Disabled}';
    expect(service(annotations, 'ports: [{port: 80}]')).toEqual([
      'metadata.annotations service.kubernetes.io/topology-mode and service.kubernetes.io/topology-aware-hints differ: "Auto" and "Disabled"',
    ]);
  });

  test('whose appProtocol is no qualified name', () => {
    expect(service('', 'ports: [{port: 80, appProtocol: kubernetes.io/h2c}]')).toEqual([]);
    expect(service('', 'ports: [{port: 80, appProtocol: "h2 c"}]')).toEqual([
      'spec.ports[0].appProtocol "h2 c" is not a qualified name: something like http or kubernetes.io/h2c',
    ]);
  });
});

describe('a Pod', () => {
  test('whose names cannot become DNS names', () => {
    expect(
      messages('{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {hostname: Db_0, subdomain: a.b, containers: [{name: c}]}}'),
    ).toEqual([
      'spec.hostname "Db_0" is not a DNS label: lower-case letters, digits and -, at most 63',
      'spec.subdomain "a.b" is not a DNS label: lower-case letters, digits and -, at most 63',
    ]);
  });

  test('whose container ports have no proper names', () => {
    const pod = (ports: string) =>
      messages(`{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, ports: ${ports}}]}}`);
    expect(pod('[{containerPort: 80, name: http}, {containerPort: 81, name: http}]')).toEqual([
      'spec.containers[0].ports[1].name "http" is there twice',
    ]);
    expect(pod('[{containerPort: 80, name: a-very-long-port-name}]')[0]).toContain('is not a port name');
    expect(pod('[80, {name: http}]')).toEqual([
      'spec.containers[0].ports[0] 80 is not an object',
      'spec.containers[0].ports[1].containerPort is missing, expected a number of 1-65535',
    ]);
  });
});

describe('a slice', () => {
  test('holds at most 8 zones of hints, and host names that are DNS labels', () => {
    const slice = (endpoint: string) =>
      messages(
        `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s}, addressType: IPv4, endpoints: [{addresses: [10.0.0.1], ${endpoint}}]}`,
      );
    const zones = Array.from({ length: 9 }, (_, index) => `{name: z${index}}`).join(', ');
    expect(slice(`hints: {forZones: [${zones}]}`)).toEqual(['endpoints[0].hints.forZones holds 9, the limit is 8']);
    expect(slice('hostname: Db_0')).toEqual([
      'endpoints[0].hostname "Db_0" is not a DNS label: lower-case letters, digits and -, at most 63',
    ]);
  });
});
