// Findings as SARIF, held against what the format demands.
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

describe('a SARIF log', () => {
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
