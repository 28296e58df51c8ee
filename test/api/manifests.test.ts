import { describe, expect, test } from 'vitest';
import { parseManifests } from '../../src/api/manifests.ts';
import { locationOf } from '../../src/api/places.ts';
import { ManifestError } from '../../src/errors.ts';

const web = `apiVersion: v1
kind: Service
metadata:
  name: web
  labels: {tier.example.com/name: front}
spec:
  ports:
    - port: 80
    - port: 443
`;

/** The message of the error that the text causes. */
function messageOf(text: string): string {
  try {
    parseManifests(text, 'web.yaml');
  } catch (error) {
    if (error instanceof ManifestError) return error.message;
    throw error;
  }
  return 'no error';
}

describe('reading manifests', () => {
  test('several YAML documents give several objects, empty documents none', () => {
    const objects = parseManifests(`---\n${web}---\n# nothing here\n---\n${web.replace('web', 'api')}---\n`);
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(['web', 'api']);
  });

  test('an empty text gives no objects', () => {
    expect(parseManifests('')).toEqual([]);
  });

  test('JSON and YAML of the same object are equal, and stay printable', () => {
    const [fromYaml] = parseManifests(web);
    const [fromJson] = parseManifests(JSON.stringify(fromYaml));
    expect(fromJson).toEqual(fromYaml);
    expect(JSON.parse(JSON.stringify(fromYaml))).toEqual(fromYaml);
  });

  test('JSON inside a string is not taken for keys of the object', () => {
    const annotations = { last: JSON.stringify({ name: 'a "quoted" b', kind: [1, 2] }), path: 'c:\\\\dir\\\\' };
    const object = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', annotations } };
    expect(parseManifests(JSON.stringify(object))).toEqual([object]);
  });

  test('a byte order mark before the text is ignored', () => {
    expect(parseManifests(`\ufeff${web}`)).toHaveLength(1);
  });

  test('items of a List are objects of their own', () => {
    const list = { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items: parseManifests(web) };
    expect(parseManifests(JSON.stringify(list, null, 4)).map(({ kind }) => kind)).toEqual(['Service']);
  });

  test('items of a typed list take kind and apiVersion from it', () => {
    const [slice] = parseManifests('{apiVersion: discovery.k8s.io/v1, kind: EndpointSliceList, items: [{metadata: {name: web-1}}]}');
    expect(slice).toEqual({ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: 'web-1' } });
  });

  test('a List without items is empty', () => {
    expect(parseManifests('{apiVersion: v1, kind: List, items: null}')).toEqual([]);
    expect(parseManifests('{apiVersion: v1, kind: ServiceList, items: []}')).toEqual([]);
  });

  test('a custom kind that merely ends in List is an object', () => {
    expect(parseManifests('{apiVersion: example.com/v1, kind: AllowList, metadata: {name: a}}')).toHaveLength(1);
  });

  test('anchors, aliases and merge keys are resolved', () => {
    const [object] = parseManifests('{apiVersion: v1, kind: Service, metadata: &m {name: web, labels: {a: b}}, spec: {<<: *m, name: api}}');
    expect(object).toMatchObject({ spec: { name: 'api', labels: { a: 'b' } } });
  });
});

describe('refusing manifests', () => {
  test.each([
    ['a syntax error', 'apiVersion: v1\nkind: [Service\n', /^web\.yaml:3:1: /],
    ['broken JSON', '{"apiVersion": "v1",\n "kind" "Service"}', /^web\.yaml:2:/],
    ['a duplicate key', 'apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  name: b\n', /^web\.yaml:5:3: duplicate key name$/],
    [
      'a duplicate key in JSON',
      '{"apiVersion":"v1","kind":"Service",\n"metadata":{"name":"a","name":"b"}}',
      /^web\.yaml:2:24: duplicate key "name"$/,
    ],
    ['a template', 'metadata:\n  name: {{ .Values.name }}\n', /^web\.yaml:2:9: unrendered template \({{ … }}\), expected plain YAML/],
    ['a directive of a template', 'metadata:\n  name: a\n{{- if .x }}\n  labels: {}\n{{- end }}\n', /^web\.yaml:3:1: unrendered template/],
    ['a document that is text', 'just words\n', /^web\.yaml:1:1: is a string, expected a Kubernetes object$/],
    ['a document that is a list', '- a\n- b\n', /^web\.yaml:1:1: is a list, expected a Kubernetes object$/],
    ['no kind', 'apiVersion: v1\nmetadata: {name: a}\n', /^web\.yaml:1:1: kind is missing$/],
    ['no apiVersion', 'kind: Service\nmetadata: {name: a}\n', /^web\.yaml:1:1: apiVersion is missing$/],
    ['no metadata', 'apiVersion: v1\nkind: Service\n', /^web\.yaml:1:1: metadata is missing$/],
    ['no name', 'apiVersion: v1\nkind: Service\nmetadata: {}\n', /^web\.yaml:3:11: metadata\.name is missing$/],
    [
      'a name that is a number',
      'apiVersion: v1\nkind: Service\nmetadata: {name: 7}\n',
      /^web\.yaml:3:18: metadata\.name is a number, expected a string$/,
    ],
    ['a wrong item of a List', 'apiVersion: v1\nkind: List\nitems:\n- 7\n', /^web\.yaml:4:3: is a number, expected a Kubernetes object$/],
    ['an alias without anchor', 'apiVersion: v1\nkind: Service\nmetadata: *nothing\n', /^web\.yaml:/],
  ])('%s is a ManifestError that tells its place', (_title, text, message) => {
    expect(messageOf(text)).toMatch(message);
  });

  test('aliases that would unfold without bound are refused', () => {
    const rows = Array.from({ length: 9 }, (_, row) => `a${row + 1}: &a${row + 1} [${Array(9).fill(`*a${row}`).join(', ')}]`);
    expect(messageOf(`a0: &a0 [x, x]\n${rows.join('\n')}\n`)).toMatch(/alias/);
  });
});

describe('locations', () => {
  test('an object knows its file and line', () => {
    const [, second] = parseManifests(`${web}---\n${web}`, 'web.yaml');
    expect(second && locationOf(second)).toEqual({ origin: 'web.yaml', line: 11, column: 1 });
  });

  test('a field path leads to the line of its value', () => {
    const [object] = parseManifests(web, 'web.yaml');
    expect(object && locationOf(object, 'spec.ports[1].port')).toEqual({ origin: 'web.yaml', line: 9, column: 13 });
    expect(object && locationOf(object, 'metadata.labels[tier.example.com/name]')).toMatchObject({ line: 5 });
  });

  test('a field that is not there leads to its nearest parent', () => {
    const [object] = parseManifests(web);
    expect(object && locationOf(object, 'spec.ports[1].nodePort')).toEqual({ origin: '<input>', line: 9, column: 7 });
  });

  test('items of a JSON List have locations too', () => {
    const text =
      '{"apiVersion": "v1", "kind": "ServiceList", "items": [\n  {"metadata": {"name": "a"}},\n  {"metadata": {"name": "b"}}\n]}';
    const [, second] = parseManifests(text, 'dump.json');
    expect(second && locationOf(second, 'metadata.name')).toEqual({ origin: 'dump.json', line: 3, column: 25 });
  });

  test('a field behind an alias is found at its anchor', () => {
    const [object] = parseManifests('apiVersion: v1\nkind: Service\nmetadata: {name: a}\nx: &ports\n- port: 1\nspec:\n  ports: *ports\n');
    expect(object && locationOf(object, 'spec.ports[0].port')).toMatchObject({ line: 5, column: 9 });
  });

  test('documents behind others, comments and directives count their lines from the top', () => {
    const text = `# top\r\n---\n${web}--- # second\n${web}...\n%TAG !e! tag:e.example,2000:\n---\n${web}`;
    const lines = parseManifests(text).map((object) => locationOf(object, 'spec.ports[1].port'));
    expect(lines).toEqual([
      { origin: '<input>', line: 11, column: 13 },
      { origin: '<input>', line: 21, column: 13 },
      { origin: '<input>', line: 33, column: 13 },
    ]);
  });

  test('an object from elsewhere has none', () => {
    expect(locationOf({ kind: 'Service' })).toBeUndefined();
  });
});
