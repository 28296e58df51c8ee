import { describe, expect, it } from 'vitest';
import { validateObjects, validateService } from '../../src/cluster.ts';
import { deployment, parse, service } from './manifests.ts';

function complaintsAbout(text: string): string[] {
  return validateObjects(parse(text)).map(({ path, message }) => `${path} ${message}`);
}

describe('what an API server refuses', () => {
  it.each([
    ['a port outside the range', service('web', '', '[{port: 70000}]'), 'spec.ports[0].port 70000 is outside 1-65535'],
    [
      'two ports without names',
      service('web', '', '[{port: 80}, {name: b, port: 81}]'),
      'spec.ports[0].name is missing: every port needs a name',
    ],
    ['a name twice', service('web', '', '[{name: a, port: 80}, {name: a, port: 81}]'), '"a" repeats the name of spec.ports[0].name'],
    [
      'a port twice',
      service('web', '', '[{name: a, port: 80}, {name: b, port: 80}]'),
      '80 repeats the port and protocol of spec.ports[0].port',
    ],
    ['no ports', service('web', '', '[]'), 'spec.ports is missing, expected at least one port'],
    ['an unknown protocol', service('web', '', '[{port: 80, protocol: tcp}]'), '"tcp" is unknown, expected TCP, UDP, SCTP'],
    ['a target port that is no name', service('web', '', '[{port: 80, targetPort: "80"}]'), '"80" is not a port name'],
    ['an unknown type', service('web', 'type: Nodeport'), 'spec.type "Nodeport" is unknown'],
    ['a node port on a ClusterIP Service', service('web', '', '[{port: 80, nodePort: 30080}]'), 'may not be set when type is "ClusterIP"'],
    [
      'a headless NodePort Service',
      service('web', 'type: NodePort, clusterIP: None'),
      'spec.clusterIP may not be None when type is NodePort',
    ],
    ['a name with a capital', service('Web'), 'metadata.name "Web" is not a DNS label'],
    ['a loopback external IP', service('web', 'externalIPs: [127.0.0.1]'), '"127.0.0.1" is a loopback address'],
    [
      'a traffic policy without outside',
      service('web', 'externalTrafficPolicy: Local'),
      'may only be set on Services that are reachable from outside',
    ],
    [
      'source ranges without load balancer',
      service('web', 'loadBalancerSourceRanges: [10.0.0.0/8]'),
      'may only be set when type is LoadBalancer',
    ],
    [
      'dual stack on one family',
      service('web', 'ipFamilyPolicy: RequireDualStack'),
      'this cluster is not configured for dual-stack services',
    ],
    [
      'an affinity timeout of 0',
      service('web', 'sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}'),
      '0 is outside 1-86400',
    ],
    ['an ExternalName without name', service('web', 'type: ExternalName'), 'spec.externalName is missing'],
  ])('%s', (_what, text, expected) => {
    expect(complaintsAbout(text).join('\n')).toContain(expected);
  });

  it.each(['ff02::1', 'ff12::1', 'ff32::7', '224.0.0.5', 'fe80::1', 'febf::1'])(
    'an external IP that reaches only the next link: %s',
    (ip) => {
      expect(complaintsAbout(service('web', `externalIPs: ["${ip}"]`)).join()).toContain('is link-local');
    },
  );

  it('says all of it, with the place in the manifest', () => {
    const text = `apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: Foo
  ports:
    - port: 0
      protocol: ICMP
`;
    expect(validateService(parse(text)[0] ?? raise()).map(({ path, location }) => [path, location?.line, location?.column])).toEqual([
      ['spec.type', 6, 9],
      ['spec.ports[0].port', 8, 13],
      ['spec.ports[0].protocol', 9, 17],
    ]);
  });

  it('a workload whose selector does not select its own Pods', () => {
    const text = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: -1, selector: {matchLabels: {app: a}},
      template: {metadata: {labels: {app: b}}, spec: {containers: []}}}}`;
    expect(complaintsAbout(text)).toEqual([
      'spec.replicas -1 is not a number of Pods',
      'spec.template.metadata.labels {"app":"b"} are not selected by spec.selector {"app":"a"}',
      'spec.template.spec.containers is missing, expected at least one container',
    ]);
  });

  it('a slice with an address of another family', () => {
    const text = `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: web}, addressType: IPv6,
      endpoints: [{addresses: [10.0.0.1]}], ports: [{port: 0}]}`;
    expect(complaintsAbout(text)).toEqual([
      'endpoints[0].addresses[0] "10.0.0.1" is not an IPv6 address',
      'ports[0].port 0 is outside 1-65535',
    ]);
  });

  it('fields and kinds that are spelled nearly right, and a selector written as for a workload', () => {
    const wrong =
      '{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selectors: {app: web}, ports: [{port: 80, targetport: 8080}]}}';
    expect(complaintsAbout(wrong)).toEqual([
      'spec.selectors is unknown, did you mean selector?',
      'spec.ports[0].targetport is unknown, did you mean targetPort?',
    ]);
    expect(complaintsAbout(service('web', 'ofALaterVersion: true'))).toEqual([]);
    expect(complaintsAbout(service('web').replace('{app: web}', '{matchLabels: {app: web}}'))).toEqual([
      'spec.selector.matchLabels is for workloads: the selector of a Service holds the labels themselves',
    ]);
    expect(complaintsAbout('{apiVersion: v1, kind: Servcie, metadata: {name: web}}')).toEqual([
      'kind "Servcie" is unknown in v1, did you mean Service?',
    ]);
    expect(complaintsAbout('{apiVersion: v1, kind: service, metadata: {name: web}}')).toHaveLength(1);
    expect(complaintsAbout(deployment('web', 1).replace('apps/v1', 'v1'))).toEqual([
      'apiVersion "v1" has no kind Deployment, expected apps/v1',
    ]);
    expect(complaintsAbout('{apiVersion: v1, kind: Secret, metadata: {name: web}}')).toEqual([]);
    expect(complaintsAbout('{apiVersion: example.com/v1, kind: Servcie, metadata: {name: web}}')).toEqual([]);
  });

  it('nothing about a null field, which counts as absent', () => {
    expect(complaintsAbout(service('web', 'clusterIP: null, externalTrafficPolicy: null', '[{port: 80, nodePort: null}]'))).toEqual([]);
    expect(complaintsAbout(deployment('web', 1, 'ports: [{containerPort: 80, name: null}, {containerPort: 81, name: ""}]'))).toEqual([]);
    expect(complaintsAbout(deployment('web', 1).replace('spec: {containers', 'spec: {hostname: null, containers'))).toEqual([]);
    expect(complaintsAbout(service('web').replace('{app: web}', '{app: null}'))).toEqual(['spec.selector null of app is not text']);
  });

  it('nothing about a headless Service without ports, or an ExternalName', () => {
    const text = `{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {clusterIP: None}}
---
{apiVersion: v1, kind: Service, metadata: {name: b}, spec: {type: ExternalName, externalName: example.com.}}`;
    expect(complaintsAbout(text)).toEqual([]);
  });
});

function raise(): never {
  throw new Error('no object');
}
