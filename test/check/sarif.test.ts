// Findings as SARIF, held against the schema of the format and what it demands beyond it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { parseManifests } from '../../src/api/manifests.ts';
import { checkManifests } from '../../src/check/check.ts';
import { RULES } from '../../src/check/finding.ts';
import { sarifLog } from '../../src/check/sarif.ts';
import { deployment, service } from '../cluster/manifests.ts';

function logOf(origin: string) {
  const { findings } = checkManifests(parseManifests(service('wbe') + deployment('web', 1), origin));
  return JSON.parse(JSON.stringify(sarifLog(findings, '1.2.3')));
}

/** The 2.1.0 schema as Microsoft's SARIF SDK for JavaScript ships it. */
function validator() {
  const path = createRequire(import.meta.url).resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json');
  // Draft 4 and ajv's own draft mean the same by every keyword that it uses, but for the name of `id`.
  const { $schema: _draft, id: _id, ...schema } = JSON.parse(readFileSync(path, 'utf8'));
  // `strict` and the regular expressions are about how schemas are written, and this one is not ours.
  const ajv = new Ajv({ strict: false, unicodeRegExp: false, allErrors: true });
  addFormats.default(ajv);
  return ajv.compile(schema);
}

/** One finding at least of each rule that a page of manifests can break. */
const BROKEN = `
${service('wbe')}${deployment('web', 1)}
${service('a', 'type: NodePort', '[{port: 80, nodePort: 30080}]')}
${service('b', 'type: NodePort', '[{port: 80, nodePort: 30080}]')}
${service('c', 'externalTrafficPolicy: Local, type: LoadBalancer', '[{port: 80, targetPort: nope}]')}
{apiVersion: v1, kind: Service, metadata: {name: none}, spec: {ports: [{port: 0}]}}
`;

describe('a SARIF log', () => {
  test.each(['broken.yaml', '/srv/my app.yaml', 'C:\\manifests\\app.yaml', '<stdin>', 'a#b?.yaml'])(
    'of %s is valid by the schema',
    (origin) => {
      const isValid = validator();
      const { findings } = checkManifests(parseManifests(BROKEN, origin));
      expect(findings.length).toBeGreaterThan(4);
      for (const log of [sarifLog(findings, '1.2.3'), sarifLog([], '1.2.3')]) {
        isValid(JSON.parse(JSON.stringify(log)));
        expect(isValid.errors).toBeNull();
      }
    },
  );

  test('that is wrong would be refused: the schema is asked', () => {
    const isValid = validator();
    const log = logOf('app.yaml');
    log.runs[0].results[0].level = 'fatal';
    log.runs[0].results[0].locations[0].physicalLocation.region.startLine = 0;
    isValid(log);
    expect(isValid.errors?.map(({ instancePath }) => instancePath)).toEqual(
      expect.arrayContaining(['/runs/0/results/0/level', '/runs/0/results/0/locations/0/physicalLocation/region/startLine']),
    );
  });

  test('has one run with the rules, and a result with its place for each finding', () => {
    const { version, runs } = logOf('k8s/my app.yaml');
    expect(version).toBe('2.1.0');
    const [{ tool, results }] = runs;
    expect(tool.driver).toMatchObject({ name: 'svcplane', version: '1.2.3' });
    expect(tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(Object.keys(RULES));
    expect(results).toHaveLength(1);
    const [{ ruleId, ruleIndex, level, message, locations }] = results;
    expect(tool.driver.rules[ruleIndex].id).toBe(ruleId);
    expect(level).toBe('error');
    expect(message.text).toMatch(/^Service default\/wbe: no Pod .* Remedy: /);
    expect(locations[0].physicalLocation).toEqual({
      artifactLocation: { uri: 'k8s/my%20app.yaml' },
      region: { startLine: 5, startColumn: 18 },
    });
  });

  test('has no file for what came from standard input, and a file address for an absolute path', () => {
    const location = (origin: string) => logOf(origin).runs[0].results[0].locations[0];
    expect(location('<stdin>').physicalLocation).toBeUndefined();
    expect(location('<stdin>').logicalLocations).toEqual([
      { fullyQualifiedName: 'Service/default/wbe#spec.selector', name: 'default/wbe', kind: 'resource' },
    ]);
    expect(location('/srv/app.yaml').physicalLocation.artifactLocation.uri).toBe('file:///srv/app.yaml');
  });
});
