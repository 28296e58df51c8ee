// `svcplane check`, and what `trace` says of a Service that nobody stands behind.
import { describe, expect, test } from 'vitest';
import { deployment, service } from '../cluster/manifests.ts';
import { svcplane } from './command.ts';

const WRONG = service('wbe') + deployment('web', 1);

describe('svcplane check', () => {
  test('finds nothing in the examples', async () => {
    expect(await svcplane(['check', '-f', 'examples'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+ objects: nothing found\n$/),
    });
  });

  test('says place, object, reason and remedy, and ends with 1', async () => {
    expect(await svcplane(['check', '-f', '-'], { stdin: WRONG })).toEqual({
      code: 1,
      stdout:
        '<stdin>:5:18: error: service default/wbe: no Pod in namespace default has the labels app=wbe [selector-matches-nothing]\n' +
        '    → nearest, the Pods of Deployment web have app=web: write app: web instead of app: wbe\n',
      stderr: '1 error in 2 objects\n',
    });
  });

  test('a note alone is no failure', async () => {
    const stdin = service('web', 'type: LoadBalancer, externalTrafficPolicy: Local') + deployment('web', 1);
    expect(await svcplane(['check', '-f', '-'], { stdin })).toMatchObject({ code: 0, stderr: '1 note in 2 objects\n' });
  });

  test('prints JSON and SARIF', async () => {
    const json = await svcplane(['check', '-f', '-', '-o', 'json'], { stdin: WRONG });
    expect(JSON.parse(json.stdout)).toMatchObject({
      apiVersion: 'svcplane/v1',
      kind: 'CheckResult',
      findings: [{ rule: 'selector-matches-nothing' }],
    });
    const sarif = await svcplane(['check', '-f', '-', '-o', 'sarif'], { stdin: WRONG });
    expect(JSON.parse(sarif.stdout)).toMatchObject({ version: '2.1.0', runs: [{ results: [{ ruleId: 'selector-matches-nothing' }] }] });
    expect([json.code, sarif.code]).toEqual([1, 1]);
  });

  test('files that are no manifests end with 3', async () => {
    expect(await svcplane(['check', '-f', '-'], { stdin: 'kind: [' })).toMatchObject({ code: 3, stdout: '' });
  });
});

describe('svcplane trace', () => {
  const trace = async (stdin: string, ...more: string[]) => svcplane(['trace', '-f', '-', '--from', 'default/client', ...more], { stdin });

  test('to a Service without endpoints says why', async () => {
    const { stdout } = await trace(WRONG, '--to', 'wbe');
    expect(stdout).toContain('Why (svcplane check):\n<stdin>:5:18: error: service default/wbe: no Pod in namespace default');
    const json = await trace(WRONG, '--to', 'wbe', '-o', 'json');
    expect(JSON.parse(json.stdout)).toMatchObject({ findings: [{ rule: 'selector-matches-nothing' }] });
  });

  test('to its address says the same', async () => {
    const { stdout } = await trace(WRONG.replace('spec: {', 'spec: {clusterIP: 10.96.0.20, '), '--to', '10.96.0.20:80');
    expect(stdout).toContain('[selector-matches-nothing]');
  });

  test('to a headless Service without ready Pods says why', async () => {
    const { stdout } = await trace(service('db', 'clusterIP: None') + deployment('web', 1), '--to', 'db');
    expect(stdout).toContain('so its name does not resolve (NXDOMAIN)');
  });

  test('that a policy Local drops says where there is nobody', async () => {
    const manifest = service('web', 'internalTrafficPolicy: Local') + deployment('web', 1);
    expect((await trace(manifest, '--to', 'web', '--node', 'node-3')).stdout).toContain('[local-policy-gap]');
    expect((await trace(manifest, '--to', 'web', '--node', 'node-1')).stdout).not.toContain('Why');
  });
});
