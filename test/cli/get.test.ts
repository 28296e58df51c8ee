import { describe, expect, it } from 'vitest';
import { humanDuration } from '../../src/cli/kubectl-columns.ts';
import { formatTable } from '../../src/cli/table.ts';
import { svcplane } from './command.ts';

const SERVICES = `
apiVersion: v1
kind: Service
metadata: {name: web, creationTimestamp: "2024-12-31T23:00:00Z"}
spec: {type: NodePort, clusterIP: 10.96.0.20, selector: {app: web, tier: front}, ports: [{name: http, port: 80, nodePort: 30080}, {name: dns, port: 53, protocol: UDP, nodePort: 30053}]}
---
apiVersion: v1
kind: Service
metadata: {name: head, namespace: other}
spec: {clusterIP: None, selector: {app: web}}
---
apiVersion: v1
kind: Service
metadata: {name: lb}
spec: {type: LoadBalancer, clusterIP: 10.96.0.21, externalIPs: [198.51.100.1], ports: [{port: 443, nodePort: 30443}]}
status: {loadBalancer: {ingress: [{hostname: a-rather-long-name.example.com}]}}
---
apiVersion: v1
kind: Service
metadata: {name: out}
spec: {type: ExternalName, externalName: example.com}
`;

describe('svcplane get', () => {
  it('prints Services as kubectl does', async () => {
    const { stdout } = await svcplane(['get', 'svc', '-f', '-'], { stdin: SERVICES });
    expect(stdout).toBe(
      [
        'NAME   TYPE           CLUSTER-IP   EXTERNAL-IP                     PORT(S)                     AGE',
        'lb     LoadBalancer   10.96.0.21   a-rather-long...,198.51.100.1   443:30443/TCP               <unknown>',
        'out    ExternalName   <none>       example.com                     <none>                      <unknown>',
        'web    NodePort       10.96.0.20   <none>                          80:30080/TCP,53:30053/UDP   60m',
        '',
      ].join('\n'),
    );
  });

  it('prints several kinds, each name with its kind, as kubectl does', async () => {
    const both = await svcplane(['get', 'svc,endpoints,service', 'web', '-f', '-'], { stdin: SERVICES });
    expect(both.stdout).toMatch(/^NAME +TYPE .*\nservice\/web +NodePort .*\n\nNAME +ENDPOINTS .*\nendpoints\/web +<none> .*\n$/);
    expect(await svcplane(['get', 'svc,no', 'web', '-f', '-'], { stdin: SERVICES })).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringContaining('no web does not exist'),
    });
    expect((await svcplane(['get', 'svc,pods', '-f', '-'], { stdin: SERVICES })).stdout).not.toContain('pod/');
    expect(await svcplane(['get', 'svc,', '-f', '-'], { stdin: SERVICES })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('resource "" is unknown'),
    });
  });

  it('prints all namespaces with -A, one with -n, selectors with -o wide', async () => {
    expect((await svcplane(['get', 'services', '-A', '-f', '-'], { stdin: SERVICES })).stdout).toContain('other       head   ClusterIP');
    expect((await svcplane(['get', 'services', '-n', 'other', '-f', '-', '-o', 'name'], { stdin: SERVICES })).stdout).toContain(
      'service/head\n',
    );
    expect((await svcplane(['get', 'services', 'web', '-f', '-', '-o', 'wide'], { stdin: SERVICES })).stdout).toContain(
      '60m   app=web,tier=front\n',
    );
  });

  it('shortens endpoints after three', async () => {
    const stdin = `
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: web}, spec: {replicas: 5, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: none}, spec: {selector: {app: none}, ports: [{port: 80}]}}
`;
    const { stdout } = await svcplane(['get', 'endpoints', '-f', '-'], { stdin });
    expect(stdout).toContain('web    10.244.1.2:80,10.244.1.3:80,10.244.2.2:80 + 2 more...   <unknown>\n');
    expect(stdout).toContain('none   <none>                                                  <unknown>\n');
  });

  const POD = (name: string, ports: string, ready: boolean) => `
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: web}}
spec: {nodeName: node-1, containers: [{name: c, ports: [${ports}]}]}
status: {phase: Running, podIP: 10.244.1.1${name.length}, conditions: [{type: Ready, status: '${ready ? 'True' : 'False'}'}]}`;

  it('shows nobody, and not <none>, where the only Pods are not ready', async () => {
    const stdin = `{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}${POD('a', '', false)}`;
    expect((await svcplane(['get', 'endpoints', '-f', '-'], { stdin })).stdout).toBe(
      'NAME   ENDPOINTS   AGE\nweb                <unknown>\n',
    );
  });

  it('lists a port with all Pods that offer it, whatever else they offer', async () => {
    const ports = '[{name: http, port: 80, targetPort: http}, {name: metrics, port: 90, targetPort: metrics}]';
    const stdin =
      `{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: ${ports}}}` +
      POD('a', '{name: http, containerPort: 8080}, {name: metrics, containerPort: 9090}', true) +
      POD('bb', '{name: http, containerPort: 8080}', true);
    const { stdout } = await svcplane(['get', 'endpoints', 'web', '-o', 'json', '-f', '-'], { stdin });
    expect(JSON.parse(stdout).subsets).toMatchObject([
      { addresses: [{ ip: '10.244.1.11' }, { ip: '10.244.1.12' }], ports: [{ name: 'http', port: 8080 }] },
      { addresses: [{ ip: '10.244.1.11' }], ports: [{ name: 'metrics', port: 9090 }] },
    ]);
  });

  it('counts the 1,000 addresses that Endpoints hold at most', async () => {
    const pods = Array.from({ length: 1005 }, (_, index) => ({ addresses: [`10.1.${index >> 8}.${index & 255}`] }));
    const slices = [pods.slice(0, 1000), pods.slice(1000)].map((endpoints, index) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `web-${index}`, labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      endpoints,
      ports: [{ port: 80 }],
    }));
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } };
    const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [service, ...slices] });
    expect((await svcplane(['get', 'endpoints', 'web', '-f', '-'], { stdin })).stdout).toContain(' + 997 more...');
  });

  it('has no endpoints where no Pod has the named port', async () => {
    const stdin =
      '{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}}\n---\n' +
      '{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: [{name: c}]}}';
    const { stdout } = await svcplane(['get', 'endpoints', 'web', '-f', '-'], { stdin });
    expect(stdout).toMatch(/^web +<none> /m);
  });

  it('prints Pods, nodes and slices', async () => {
    const of = async (...argv: string[]) => (await svcplane(['get', ...argv, '-f', 'examples/hostnames.yaml'])).stdout;
    expect(await of('po', '-o', 'wide')).toMatch(
      /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\nhostnames-\w{10}-\w{5} +1\/1 +Running +0 /,
    );
    expect(await of('no')).toMatch(/^NAME +STATUS +ROLES +AGE +VERSION\nnode-1 +Ready +<none> +<unknown> +<unknown>\n/);
    expect(await of('endpointslices')).toMatch(/\nhostnames-\w{5} +IPv4 +9376 +10\.244\.1\.2,10\.244\.2\.2,10\.244\.3\.2 +<unknown>\n$/);
  });

  it('prints objects as JSON and YAML: a List, or the one that was named', async () => {
    const list = JSON.parse((await svcplane(['get', 'svc', '-o', 'json', '-f', '-'], { stdin: SERVICES })).stdout);
    expect(list).toMatchObject({ apiVersion: 'v1', kind: 'List' });
    expect(list.items).toHaveLength(3);
    const yaml = (await svcplane(['get', 'svc', 'web', '-o', 'yaml', '-f', '-'], { stdin: SERVICES })).stdout;
    expect(yaml).toMatch(/^apiVersion: v1\nkind: Service\n/);
    const again = await svcplane(['get', 'svc', '-o', 'name', '-f', '-'], { stdin: yaml });
    expect(again.stdout).toBe('service/web\n');
  });

  it('says on stderr that there is nothing', async () => {
    expect(await svcplane(['get', 'svc', '-n', 'empty', '-f', '-'], { stdin: SERVICES.split('---')[1] ?? '' })).toEqual({
      code: 0,
      stdout: '',
      stderr: 'No resources found in empty namespace.\n',
    });
  });

  it('takes a dump of a cluster with other addresses', async () => {
    const stdin = '{apiVersion: v1, kind: Service, metadata: {name: web, uid: abc}, spec: {clusterIP: 10.43.7.9, ports: [{port: 80}]}}';
    const { stdout, stderr, code } = await svcplane(['get', 'svc', '-f', '-'], { stdin });
    expect(code).toBe(0);
    expect(stdout).toContain('10.43.7.9');
    expect(stderr).toContain('taking 10.43.0.0/16 as the Service CIDR');
  });

  it('takes the addresses of Services from the ranges of a ServiceCIDR beside them', async () => {
    const range =
      '{apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {name: kubernetes}, spec: {cidrs: [10.43.0.0/16, "fd43::/112"]}}';
    const service = '{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ipFamilyPolicy: PreferDualStack, ports: [{port: 80}]}}';
    const { stdout, stderr } = await svcplane(['get', 'svc', '-o', 'yaml', '-f', '-'], { stdin: `${range}\n---\n${service}` });
    expect(stdout).toMatch(/clusterIPs:\n +- 10\.43\.\d+\.\d+\n +- fd43::/);
    expect(stderr).toBe('');
  });
});

describe('columns', () => {
  it('are three spaces apart and at least six wide', () => {
    expect(
      formatTable(
        ['A', 'BB'],
        [
          ['1234567', 'x'],
          ['1', 'yy'],
        ],
      ),
    ).toBe('A         BB\n1234567   x\n1         yy\n');
    expect(formatTable(['A', 'BB'], [['1', 'x']])).toBe('A     BB\n1     x\n');
  });

  it.each([
    [45, '45s'],
    [150, '2m30s'],
    [3600, '60m'],
    [4 * 3600 + 60, '4h1m'],
    [30 * 3600, '30h'],
    [5 * 86400, '5d'],
    [400 * 86400, '400d'],
    [3 * 365 * 86400, '3y'],
  ])('an age of %i seconds is %s', (seconds, text) => {
    expect(humanDuration(seconds)).toBe(text);
  });
});
