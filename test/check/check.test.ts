// What `check` finds in manifests that are wrong, and that it finds nothing in those that are right.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseManifests } from '../../src/api/manifests.ts';
import { checkManifests } from '../../src/check/check.ts';
import type { ClusterOptions } from '../../src/cluster.ts';
import { deployment, service, workload } from '../cluster/manifests.ts';

const SHARED = '../shared/manifests';

function find(manifest: string, options: ClusterOptions = {}) {
  return checkManifests(parseManifests(manifest, 'app.yaml'), options).findings;
}

function node(name: string, zone: string, ready = 'True'): string {
  const labels = zone === '' ? '' : `, labels: {topology.kubernetes.io/zone: ${zone}}`;
  return `
{apiVersion: v1, kind: Node, metadata: {name: ${name}${labels}}, status: {conditions: [{type: Ready, status: "${ready}"}]}}
---
`;
}

function pod(name: string, labels: string, rest = ''): string {
  return `
{apiVersion: v1, kind: Pod, metadata: {name: ${name}, labels: ${labels}}, spec: {containers: [{name: c}]}${rest}}
---
`;
}

const NOT_READY = ', status: {phase: Running, podIP: 10.244.1.9, conditions: [{type: Ready, status: "False"}]}';

describe('clean manifests', () => {
  const files = ['examples', ...(existsSync(SHARED) ? [SHARED] : [])].flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => `${directory}/${name}`),
  );

  test.each(files)('nothing is found in %s', (file) => {
    expect(checkManifests(parseManifests(readFileSync(file, 'utf8'), file))).toEqual({ findings: [], notes: [] });
  });

  if (!existsSync(SHARED)) test.skip(`${SHARED} is not here: its manifests are not looked at`);

  test('nothing is found in Services of every type', () => {
    const services = [
      service('a', 'type: NodePort'),
      service('b', 'type: LoadBalancer, externalTrafficPolicy: Cluster'),
      service('c', 'clusterIP: None'),
      '{apiVersion: v1, kind: Service, metadata: {name: d}, spec: {type: ExternalName, externalName: example.com}}\n---',
    ];
    const workloads = ['a', 'b', 'c'].map((name) => deployment(name, 3));
    expect(find([...services, ...workloads].join('\n'))).toEqual([]);
  });

  test('a policy Local behind a DaemonSet leaves no gap', () => {
    expect(find(service('agent', 'internalTrafficPolicy: Local') + workload('DaemonSet', 'agent', ''))).toEqual([]);
  });

  test('without any Pod or workload, selectors are not judged, and that is said', () => {
    const { findings, notes } = checkManifests(parseManifests(service('web')));
    expect(findings).toEqual([]);
    expect(notes).toEqual([expect.stringContaining('selectors and target ports were not checked')]);
  });

  test('a selector of Pods that somebody else makes is not judged', () => {
    const rollout =
      '{apiVersion: argoproj.io/v1alpha1, kind: Rollout, metadata: {name: web}, spec: {template: {metadata: {labels: {app: web}}}}}\n---\n';
    expect(find(service('web') + rollout)).toEqual([]);
  });
});

describe('a workload that is refused', () => {
  test('is the finding, and the Service in front of it is not to blame', () => {
    const wrong = deployment('web', 1).replace('labels: {app: web}', 'labels: {app: front}');
    expect(find(service('web') + wrong + deployment('other', 1)).map(({ rule, object }) => [rule, object])).toEqual([
      ['invalid-object', 'default/web'],
    ]);
    expect(find(service('wbe') + wrong + deployment('other', 1)).map(({ rule }) => rule)).toContain('selector-matches-nothing');
  });
});

describe('a selector that matches nothing', () => {
  test('is found where it stands, with the nearest labels', () => {
    const [finding, ...others] = find(service('wbe') + deployment('web', 2) + deployment('other', 1));
    expect(others).toEqual([]);
    expect(finding).toEqual({
      rule: 'selector-matches-nothing',
      level: 'error',
      kind: 'Service',
      object: 'default/wbe',
      path: 'spec.selector',
      location: { origin: 'app.yaml', line: 5, column: 18 },
      reason: 'no Pod in namespace default has the labels app=wbe',
      remedy: 'nearest, the Pods of Deployment web have app=web: write app: web instead of app: wbe',
    });
  });

  test('says which label is too many', () => {
    const manifest = service('web').replace('{app: web}', '{app: web, tier: front}') + deployment('web', 1);
    expect(find(manifest)[0]?.remedy).toContain('leave out tier: front');
  });

  test('says that the key is another one', () => {
    const manifest = service('web').replace('{app: web}', '{app.kubernetes.io/name: web}') + deployment('web', 1);
    expect(find(manifest)[0]?.remedy).toContain('write app: web instead of app.kubernetes.io/name: web');
  });

  test('says that the Pods are in another namespace', () => {
    const manifest = service('web') + deployment('web', 1).replace('{name: web}', '{name: web, namespace: prod}');
    expect(find(manifest)[0]?.remedy).toContain('Pods in namespace prod have these labels');
  });

  test('is another matter when the workload has no replicas', () => {
    expect(find(service('web') + deployment('web', 0))).toMatchObject([
      { rule: 'no-replicas', level: 'warning', reason: 'Deployment web, whose Pods it selects, has 0 replicas' },
    ]);
  });

  test('and a headless name does not resolve', () => {
    expect(find(service('wbe', 'clusterIP: None') + deployment('web', 1))[0]?.reason).toContain('its name does not resolve (NXDOMAIN)');
  });
});

describe('target ports', () => {
  const named = (name: string) => service('web', '', `[{port: 80, targetPort: ${name}}]`);

  test('that no Pod has', () => {
    expect(find(named('http') + deployment('web', 2, 'ports: [{name: web, containerPort: 8080}]'))).toMatchObject([
      {
        rule: 'target-port-unknown',
        path: 'spec.ports[0].targetPort',
        reason: 'no Pod it selects has a TCP port named http, so port 80 has no endpoints',
        remedy: 'write targetPort: web (the containers have 8080 named web)',
      },
    ]);
  });

  test('that have another protocol', () => {
    const findings = find(named('dns') + deployment('web', 1, 'ports: [{name: dns, containerPort: 53, protocol: UDP}]'));
    expect(findings[0]?.remedy).toContain('say protocol: UDP');
  });

  test('that only some Pods have', () => {
    const pods = `${pod('new', '{app: web}').replace('{name: c}', '{name: c, ports: [{name: http, containerPort: 80}]}')}${pod('old', '{app: web}')}`;
    expect(find(named('http') + pods)).toMatchObject([
      { rule: 'target-port-missing', level: 'warning', reason: expect.stringContaining('1 of 2 Pods have no TCP port named http') },
    ]);
  });

  test('of slices that are named otherwise', () => {
    const slice =
      '{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s, labels: {kubernetes.io/service-name: ext}}, addressType: IPv4, ports: [{name: web, port: 80}], endpoints: [{addresses: [192.0.2.7]}]}\n---\n';
    const ext = '{apiVersion: v1, kind: Service, metadata: {name: ext}, spec: {ports: [{name: http, port: 80}]}}\n---\n';
    expect(find(slice + ext)).toMatchObject([
      { rule: 'port-without-endpoints', remedy: 'name the ports alike: the slices have named web' },
    ]);
  });
});

describe('readiness', () => {
  test('of some Pods', () => {
    expect(find(service('web') + pod('a', '{app: web}') + pod('b', '{app: web}', NOT_READY))).toMatchObject([
      {
        rule: 'pods-not-ready',
        level: 'warning',
        reason: '1 of 2 Pods get no new connections: b (not ready)',
        remedy: expect.stringContaining('kubectl describe pod b -n default'),
      },
    ]);
  });

  test('of none', () => {
    expect(find(service('web') + pod('b', '{app: web}', NOT_READY))).toMatchObject([
      { rule: 'no-ready-pods', level: 'error', reason: expect.stringContaining('connections are rejected') },
    ]);
    expect(find(service('web', 'clusterIP: None') + pod('b', '{app: web}', NOT_READY))).toMatchObject([{ rule: 'headless-no-ready-pods' }]);
  });

  test('does not matter where addresses are published anyway', () => {
    expect(find(service('web', 'clusterIP: None, publishNotReadyAddresses: true') + pod('b', '{app: web}', NOT_READY))).toEqual([]);
  });

  test('of Pods that no node takes', () => {
    const picky = deployment('web', 1).replace('spec: {containers', 'spec: {nodeSelector: {disk: ssd}, containers');
    expect(find(service('web') + picky)).toMatchObject([{ rule: 'no-ready-pods', reason: expect.stringContaining('no Node takes it') }]);
  });

  test('of endpoints that nobody has made', () => {
    expect(find('{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}]}}')).toMatchObject([
      { rule: 'no-endpoints' },
    ]);
  });
});

describe('a policy Local', () => {
  test('leaves a gap on nodes without a Pod', () => {
    expect(find(service('web', 'internalTrafficPolicy: Local') + deployment('web', 2))).toMatchObject([
      {
        rule: 'local-policy-gap',
        path: 'spec.internalTrafficPolicy',
        reason: expect.stringContaining('node node-3 has no ready endpoint'),
      },
    ]);
    expect(find(service('web', 'type: NodePort, externalTrafficPolicy: Local') + deployment('web', 1))).toMatchObject([
      { rule: 'local-policy-gap', path: 'spec.externalTrafficPolicy', reason: expect.stringContaining('node-2 and node-3') },
    ]);
  });

  test('of a load balancer is as it should be, and noted', () => {
    const manifest = service('web', 'type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30099') + deployment('web', 2);
    expect(find(manifest)).toMatchObject([{ level: 'note', remedy: expect.stringContaining('on port 30099') }]);
  });
});

describe('hints', () => {
  const preferring = service('web', 'trafficDistribution: PreferClose');

  test('are heeded where each zone has an endpoint', () => {
    expect(find(node('n1', 'a') + node('n2', 'b') + preferring + deployment('web', 2))).toEqual([]);
  });

  test('are ignored in a zone without one', () => {
    expect(find(node('n1', 'a') + node('n2', 'b') + preferring + deployment('web', 1))).toMatchObject([
      {
        rule: 'hints-ignored',
        path: 'spec.trafficDistribution',
        reason: 'zone b has no ready endpoint, so its nodes use those of all zones',
      },
    ]);
  });

  test('are not made for endpoints whose zone is not known', () => {
    expect(find(node('n1', 'a') + node('n2', '') + preferring + deployment('web', 2))).toMatchObject([
      { rule: 'hints-ignored', reason: expect.stringContaining('1 of 2 ready endpoints have no hint (their zones are not known)') },
    ]);
  });

  test('of the older annotation need CPUs and enough endpoints', () => {
    const annotated = service('web').replace('{name: web}', '{name: web, annotations: {service.kubernetes.io/topology-mode: Auto}}');
    expect(find(node('n1', 'a') + node('n2', 'b') + annotated + deployment('web', 2))).toMatchObject([
      {
        path: 'metadata.annotations.service.kubernetes.io/topology-mode',
        reason: expect.stringContaining('n1 and n2 lack a zone or its allocatable CPUs'),
      },
    ]);
  });
});

describe('clashes', () => {
  test('of node ports, and the rest is checked all the same', () => {
    const findings = find(
      `${service('a', 'type: NodePort', '[{port: 80, nodePort: 30080}]')}${service('b', 'type: NodePort', '[{port: 80, nodePort: 30080}]')}${service('c')}${deployment('a', 1)}${deployment('b', 1)}`,
    );
    expect(findings).toMatchObject([
      {
        rule: 'node-port-clash',
        object: 'default/b',
        path: 'spec.ports[0].nodePort',
        reason: expect.stringContaining('already allocated, to service default/a'),
      },
      { rule: 'selector-matches-nothing', object: 'default/c' },
    ]);
  });

  test('of cluster IPs and external IPs', () => {
    const two = (spec: string) => `${service('a', spec)}${service('b', spec)}${deployment('a', 1)}${deployment('b', 1)}`;
    expect(find(two('clusterIP: 10.96.0.9'))).toMatchObject([{ rule: 'address-clash', object: 'default/b' }]);
    expect(find(two('externalIPs: [198.51.100.7]'))).toMatchObject([
      {
        rule: 'address-clash',
        path: 'spec.externalIPs[0]',
        reason: expect.stringContaining('198.51.100.7 port 80/TCP is also an address of Service default/a'),
      },
    ]);
  });

  test('of Pods', () => {
    const status = ', status: {phase: Running, podIP: 10.244.1.9, conditions: [{type: Ready, status: "True"}]}';
    expect(find(pod('a', '{app: web}', status) + pod('b', '{app: web}', status))).toMatchObject([{ rule: 'address-clash', kind: 'Pod' }]);
  });
});

describe('side doors of source ranges', () => {
  const guarded = (spec: string) =>
    find(`${service('web', `type: LoadBalancer, loadBalancerSourceRanges: [203.0.113.0/24], ${spec}`)}${deployment('web', 3)}`);

  test('node ports', () => {
    expect(guarded('allocateLoadBalancerNodePorts: true')).toMatchObject([
      { rule: 'side-door', path: 'spec.loadBalancerSourceRanges', reason: expect.stringMatching(/gets in by its node port 3\d{4}/) },
    ]);
    expect(guarded('allocateLoadBalancerNodePorts: false')).toEqual([]);
  });

  test('external IPs', () => {
    expect(guarded('allocateLoadBalancerNodePorts: false, externalIPs: [198.51.100.7]')).toMatchObject([{ path: 'spec.externalIPs' }]);
  });

  test('the other family, and a range of everybody', () => {
    const dual = `${service('web', 'type: LoadBalancer, allocateLoadBalancerNodePorts: false, ipFamilyPolicy: RequireDualStack, loadBalancerSourceRanges: [203.0.113.0/24, 0.0.0.0/0]')}${deployment('web', 3)}`;
    expect(find(dual, { ipFamilies: ['IPv4', 'IPv6'] }).map(({ reason }) => reason)).toEqual([
      expect.stringContaining('no IPv6 range'),
      expect.stringContaining('0.0.0.0/0 lets everyone in'),
    ]);
  });
});

describe('references', () => {
  test('of slices and StatefulSets to Services that are not there', () => {
    const slice =
      '{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s, labels: {kubernetes.io/service-name: gone}}, addressType: IPv4, endpoints: [{addresses: [192.0.2.7]}]}\n---\n';
    expect(find(slice)).toMatchObject([{ rule: 'dangling-slice', reason: expect.stringContaining('no Service gone') }]);
    expect(find(workload('StatefulSet', 'db', 'serviceName: db, '))).toMatchObject([
      { rule: 'service-name-unknown', path: 'spec.serviceName', reason: expect.stringContaining('names like db-0.db do not resolve') },
    ]);
  });

  test('of an external name that is an address', () => {
    expect(
      find('{apiVersion: v1, kind: Service, metadata: {name: out}, spec: {type: ExternalName, externalName: 192.0.2.7}}'),
    ).toMatchObject([{ rule: 'external-name-address' }]);
  });
});

describe('backends of an Ingress', () => {
  const ingress = (backend: string) => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front}
spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: ${backend}}}]}}]}
---
`;
  const web = service('web', '', '[{name: http, port: 80, targetPort: 8080}]') + deployment('web', 1);

  test('that are there', () => {
    expect(find(web + ingress('{name: web, port: {number: 80}}') + ingress('{name: web, port: {name: http}}'))).not.toContainEqual(
      expect.objectContaining({ rule: 'ingress-backend-unknown' }),
    );
  });

  test('whose Service is another one', () => {
    expect(find(web + ingress('{name: webb, port: {number: 80}}'))).toMatchObject([
      {
        rule: 'ingress-backend-unknown',
        object: 'default/front',
        path: 'spec.rules[0].http.paths[0].backend.service.name',
        reason: expect.stringContaining('no Service webb in namespace default'),
        remedy: 'write name: web',
        location: { origin: 'app.yaml' },
      },
    ]);
  });

  test('with the port of the Pods in place of that of the Service', () => {
    expect(find(web + ingress('{name: web, port: {number: 8080}}'))).toMatchObject([
      { reason: expect.stringContaining('Service web has no port 8080'), remedy: expect.stringContaining('the port of the Service, 80') },
    ]);
  });

  test('are not judged where no Service of the namespace is known', () => {
    expect(find(ingress('{name: web, port: {number: 80}}'))).toEqual([]);
  });
});

describe('a target port that is a number', () => {
  const listing = 'ports: [{name: http, containerPort: 8080}]';
  const web = (ports: string) => find(service('web', '', ports) + deployment('web', 2, listing));

  test('and in no list of ports is noted', () => {
    expect(web('[{port: 80, targetPort: 8080}]')).toEqual([]);
    expect(web('[{port: 80, targetPort: 9090}]')).toMatchObject([
      {
        rule: 'target-port-undeclared',
        level: 'note',
        path: 'spec.ports[0].targetPort',
        reason: expect.stringContaining('no container behind it lists port 9090/TCP (they list 8080/TCP named http)'),
        remedy: expect.stringContaining('write targetPort: http'),
      },
    ]);
    expect(web('[{port: 8080, protocol: UDP}]')).toMatchObject([{ remedy: '8080 is a port of TCP there: say protocol: TCP' }]);
  });

  test('says nothing where containers list none', () => {
    expect(find(service('web', '', '[{port: 80, targetPort: 9090}]') + deployment('web', 1))).toEqual([]);
  });
});

describe('objects that stand twice', () => {
  test('are found when they differ', () => {
    const other = service('web').replace('port: 80', 'port: 81');
    expect(find(service('web') + service('web') + deployment('web', 1))).toEqual([]);
    expect(find(service('web') + other + deployment('web', 1), { namespace: 'prod' })).toMatchObject([
      {
        rule: 'defined-twice',
        level: 'warning',
        object: 'prod/web',
        reason: expect.stringMatching(/^it is defined at app\.yaml:4:\d+ as well/),
      },
    ]);
  });

  test('are two objects when one is a custom resource of that name', () => {
    const knative =
      '{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: web}, spec: {template: {spec: {containers: [{image: web}]}}}}\n---\n';
    expect(find(service('web') + deployment('web', 1) + knative)).toEqual([]);
  });
});

describe('what is not looked at', () => {
  test('is said of NetworkPolicies', () => {
    const policy = '{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny}, spec: {podSelector: {}}}';
    expect(checkManifests(parseManifests(policy)).notes).toEqual(['1 NetworkPolicy was not looked at: the network plugin enforces them']);
  });
});

test('objects that name no namespace have their place in another one, too', () => {
  const [finding] = find(service('wbe') + deployment('web', 1), { namespace: 'prod' });
  expect(finding).toMatchObject({ object: 'prod/wbe', location: { origin: 'app.yaml', line: 5 } });
});
