// The API server's rules for one Service, asked after defaulting (validation.ts calls it).
import { type Family, parsePrefix } from '../address.ts';
import type { KubernetesObject } from '../api/types.ts';
import { didYouMean } from '../edit-distance.ts';
import {
  type Complaint,
  complaint,
  isDnsLabel,
  isDnsSubdomain,
  isPort,
  LABEL_MAX,
  oneOf,
  outsidePorts,
  portNameProblems,
  quoted,
} from './complaint.ts';
import { isExternallyAccessible } from './defaults.ts';
import { type Fields, fieldsOf, isFields, labelsOf, listOf, textOf } from './fields.ts';
import { isQualifiedName, labelProblems } from './label-validation.ts';
import { serviceAddressProblems } from './service-address-validation.ts';
import { TOPOLOGY_ANNOTATIONS } from './topology-hints.ts';

const DNS_1035_LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const AFFINITY_TIMEOUT_MAX = 86400;
const TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'];
const PROTOCOLS = ['TCP', 'UDP', 'SCTP'];
const SPEC_FIELDS = [
  'allocateLoadBalancerNodePorts',
  'clusterIP',
  'clusterIPs',
  'externalIPs',
  'externalName',
  'externalTrafficPolicy',
  'healthCheckNodePort',
  'internalTrafficPolicy',
  'ipFamilies',
  'ipFamilyPolicy',
  'loadBalancerClass',
  'loadBalancerIP',
  'loadBalancerSourceRanges',
  'ports',
  'publishNotReadyAddresses',
  'selector',
  'sessionAffinity',
  'sessionAffinityConfig',
  'trafficDistribution',
  'type',
];
const PORT_FIELDS = ['appProtocol', 'name', 'nodePort', 'port', 'protocol', 'targetPort'];
const TRAFFIC_DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];

export function serviceProblems(service: KubernetesObject, families: readonly Family[]): Complaint[] {
  const spec = fieldsOf(service.spec);
  return [
    ...nameProblems(service),
    ...misspeltFields('spec', spec, SPEC_FIELDS),
    ...oneOf('spec.type', spec.type, TYPES),
    ...portsProblems(spec),
    ...externalNameProblems(spec),
    ...serviceAddressProblems(spec, families),
    ...affinityProblems(spec),
    ...policyProblems(spec),
    ...loadBalancerProblems(spec),
    ...selectorProblems(spec.selector),
    ...topologyProblems(service),
  ];
}

function nameProblems(service: KubernetesObject): Complaint[] {
  const { name, namespace } = service.metadata;
  const complaints: Complaint[] = [];
  if (typeof name !== 'string' || name.length > LABEL_MAX || !DNS_1035_LABEL.test(name)) {
    complaints.push(
      complaint(
        'metadata.name',
        name,
        `${quoted(name)} is not a DNS label: a letter first, then lower-case letters, digits and -, at most 63`,
      ),
    );
  }
  if (namespace !== undefined && !isDnsLabel(namespace)) {
    complaints.push(complaint('metadata.namespace', namespace, `${quoted(namespace)} is not a DNS label`));
  }
  return complaints;
}

/** `selectors`, `targetport`: kubectl refuses them. What is like no known field may be of a later version, and passes. */
function misspeltFields(path: string, given: Fields, known: readonly string[]): Complaint[] {
  return Object.keys(given).flatMap((field) => {
    const meant = didYouMean(field, known);
    return meant === '' ? [] : [complaint(`${path}.${field}`, given[field], `is unknown${meant}`)];
  });
}

function selectorProblems(selector: unknown): Complaint[] {
  for (const field of ['matchLabels', 'matchExpressions']) {
    const value = fieldsOf(selector)[field];
    if (typeof value === 'object' && value !== null)
      return [complaint(`spec.selector.${field}`, value, 'is for workloads: the selector of a Service holds the labels themselves')];
  }
  return labelProblems('spec.selector', selector);
}

function portsProblems(spec: Fields): Complaint[] {
  if (spec.ports !== undefined && !Array.isArray(spec.ports))
    return [complaint('spec.ports', spec.ports, `${quoted(spec.ports)} is not a list`)];
  const ports = listOf(spec.ports);
  const isHeadless = spec.clusterIP === 'None';
  if (ports.length === 0 && !isHeadless && spec.type !== 'ExternalName') {
    return [
      complaint('spec.ports', spec.ports, 'is missing, expected at least one port (only headless and ExternalName Services have none)'),
    ];
  }
  const seen = new Map<string, string>();
  return ports.flatMap((entry, index) => {
    const path = `spec.ports[${index}]`;
    if (!isFields(entry)) return [complaint(path, entry, `${quoted(entry)} is not an object`)];
    const claim = (key: string, field: string, value: unknown, what: string): Complaint[] => {
      const before = seen.get(key);
      seen.set(key, before ?? `${path}.${field}`);
      return before === undefined ? [] : [complaint(`${path}.${field}`, value, `${quoted(value)} repeats the ${what} of ${before}`)];
    };
    const { name, port, protocol, nodePort } = entry;
    return [
      ...misspeltFields(path, entry, PORT_FIELDS),
      ...servicePortNameProblems(`${path}.name`, name, ports.length > 1),
      ...(isDnsLabel(name) ? claim(`name ${name}`, 'name', name, 'name') : []),
      ...(isPort(port) ? claim(`port ${port}/${protocol}`, 'port', port, 'port and protocol') : [outsidePorts(`${path}.port`, port)]),
      ...oneOf(`${path}.protocol`, protocol, PROTOCOLS),
      // A target port that was not given repeats the port: it is complained about once.
      ...(entry.targetPort === port ? [] : targetPortProblems(`${path}.targetPort`, entry.targetPort)),
      ...nodePortProblems(`${path}.nodePort`, nodePort, spec),
      ...appProtocolProblems(`${path}.appProtocol`, entry.appProtocol),
      ...(isPort(nodePort) ? claim(`nodePort ${nodePort}/${protocol}`, 'nodePort', nodePort, 'node port and protocol') : []),
    ];
  });
}

function servicePortNameProblems(path: string, name: unknown, isRequired: boolean): Complaint[] {
  if (name === undefined || name === '') {
    return isRequired ? [complaint(path, name, 'is missing: every port needs a name when there is more than one')] : [];
  }
  return isDnsLabel(name)
    ? []
    : [complaint(path, name, `${quoted(name)} is not a DNS label: lower-case letters, digits and -, at most 63`)];
}

function targetPortProblems(path: string, target: unknown): Complaint[] {
  if (typeof target === 'string') return target === '' ? [outsidePorts(path, target)] : portNameProblems(path, target);
  return target === undefined || isPort(target) ? [] : [outsidePorts(path, target)];
}

function nodePortProblems(path: string, nodePort: unknown, spec: Fields): Complaint[] {
  if (nodePort === undefined || nodePort === 0) return [];
  if (!isPort(nodePort)) return [outsidePorts(path, nodePort)];
  if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') return [];
  return [complaint(path, nodePort, `${nodePort} may not be set when type is ${quoted(spec.type)}`)];
}

function appProtocolProblems(path: string, value: unknown): Complaint[] {
  if (value === undefined || value === null || isQualifiedName(value)) return [];
  return [complaint(path, value, `${quoted(value)} is not a qualified name: something like http or kubernetes.io/h2c`)];
}

/** Two spellings of one annotation, which must not contradict each other. */
function topologyProblems(service: KubernetesObject): Complaint[] {
  const [old = '', current = ''] = TOPOLOGY_ANNOTATIONS;
  const annotations = labelsOf(service.metadata.annotations);
  const [before, now] = [annotations[old], annotations[current]];
  if (before === undefined || now === undefined || before === now) return [];
  return [complaint('metadata.annotations', now, `${current} and ${old} differ: ${quoted(now)} and ${quoted(before)}`)];
}

function externalNameProblems(spec: Fields): Complaint[] {
  if (spec.type !== 'ExternalName') return [];
  const name = textOf(spec.externalName).replace(/\.$/, '');
  const forbidden = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'].filter((field) => {
    const value = spec[field];
    return value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0);
  });
  return [
    ...(isDnsSubdomain(name) ? [] : [complaint('spec.externalName', spec.externalName, externalNameMessage(spec.externalName))]),
    ...forbidden.map((field) => complaint(`spec.${field}`, spec[field], 'may not be set when type is ExternalName')),
  ];
}

function externalNameMessage(given: unknown): string {
  const isMissing = given === undefined || given === '';
  return isMissing ? 'is missing: a Service of type ExternalName is nothing else' : `${quoted(given)} is not a DNS name`;
}

function affinityProblems(spec: Fields): Complaint[] {
  const complaints = oneOf('spec.sessionAffinity', spec.sessionAffinity, ['None', 'ClientIP']);
  const seconds = fieldsOf(fieldsOf(spec.sessionAffinityConfig).clientIP).timeoutSeconds;
  const isValid = typeof seconds === 'number' && Number.isInteger(seconds) && seconds >= 1 && seconds <= AFFINITY_TIMEOUT_MAX;
  if (spec.sessionAffinity === 'ClientIP' && !isValid) {
    complaints.push(
      complaint('spec.sessionAffinityConfig.clientIP.timeoutSeconds', seconds, `${quoted(seconds)} is outside 1-${AFFINITY_TIMEOUT_MAX}`),
    );
  }
  return complaints;
}

function policyProblems(spec: Fields): Complaint[] {
  const complaints = [
    ...oneOf('spec.internalTrafficPolicy', spec.internalTrafficPolicy, ['Cluster', 'Local']),
    ...oneOf('spec.externalTrafficPolicy', spec.externalTrafficPolicy, ['Cluster', 'Local']),
    ...oneOf('spec.trafficDistribution', spec.trafficDistribution, TRAFFIC_DISTRIBUTIONS),
  ];
  if (spec.externalTrafficPolicy !== undefined && !isExternallyAccessible(spec)) {
    complaints.push(
      complaint('spec.externalTrafficPolicy', spec.externalTrafficPolicy, 'may only be set on Services that are reachable from outside'),
    );
  }
  return complaints;
}

function loadBalancerProblems(spec: Fields): Complaint[] {
  const isLoadBalancer = spec.type === 'LoadBalancer';
  const complaints: Complaint[] = [];
  for (const field of ['allocateLoadBalancerNodePorts', 'loadBalancerClass', 'loadBalancerSourceRanges']) {
    const value = spec[field];
    const isSet = value !== undefined && !(Array.isArray(value) && value.length === 0);
    if (isSet && !isLoadBalancer) complaints.push(complaint(`spec.${field}`, value, 'may only be set when type is LoadBalancer'));
  }
  const { loadBalancerClass } = spec;
  if (isLoadBalancer && loadBalancerClass !== undefined && !isQualifiedName(loadBalancerClass)) {
    complaints.push(complaint('spec.loadBalancerClass', loadBalancerClass, `${quoted(loadBalancerClass)} is not a qualified name`));
  }
  for (const [index, range] of listOf(spec.loadBalancerSourceRanges).entries()) {
    const isCidr = typeof range === 'string' && range.includes('/') && parsePrefix(range.trim()) !== undefined;
    if (!isCidr) complaints.push(complaint(`spec.loadBalancerSourceRanges[${index}]`, range, `${quoted(range)} is not a CIDR`));
  }
  const { healthCheckNodePort } = spec;
  if (healthCheckNodePort !== undefined && healthCheckNodePort !== 0) {
    if (!isPort(healthCheckNodePort)) complaints.push(outsidePorts('spec.healthCheckNodePort', healthCheckNodePort));
    else if (!isLoadBalancer || spec.externalTrafficPolicy !== 'Local') {
      complaints.push(
        complaint(
          'spec.healthCheckNodePort',
          healthCheckNodePort,
          'may only be set when type is LoadBalancer and externalTrafficPolicy is Local',
        ),
      );
    } else {
      const rival = listOf(spec.ports).findIndex((port) => fieldsOf(port).nodePort === healthCheckNodePort);
      const message = `${healthCheckNodePort} repeats spec.ports[${rival}].nodePort`;
      if (rival >= 0) complaints.push(complaint('spec.healthCheckNodePort', healthCheckNodePort, message));
    }
  }
  return complaints;
}
