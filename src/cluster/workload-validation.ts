// The API server's rules for workloads and Pods, as far as the controllers here depend on them (validation.ts calls it).
import { parseAddress } from '../address.ts';
import type { KubernetesObject } from '../api/types.ts';
import { type Complaint, complaint, hostLabelProblems, isPort, oneOf, outsidePorts, portNameProblems, quoted } from './complaint.ts';
import { type Fields, fieldsOf, isFields, isUnset, labelsOf, listOf } from './fields.ts';
import { annotationProblems, labelProblems } from './label-validation.ts';
import { matchesLabels, matchesSelector } from './selector.ts';

export function workloadProblems(workload: KubernetesObject): Complaint[] {
  if (!isFields(workload.spec)) return [complaint('spec', workload.spec, 'is missing')];
  const { replicas, selector, template } = workload.spec;
  const complaints: Complaint[] = [];
  const isCount = typeof replicas === 'number' && Number.isInteger(replicas) && replicas >= 0;
  if (replicas !== undefined && !isCount)
    complaints.push(complaint('spec.replicas', replicas, `${quoted(replicas)} is not a number of Pods`));
  if (!isFields(template)) return [...complaints, complaint('spec.template', template, 'is missing')];
  const labels = labelsOf(fieldsOf(template.metadata).labels);
  const { matchLabels, matchExpressions } = fieldsOf(selector);
  const isPlain = workload.kind === 'ReplicationController';
  const isEmpty = isPlain
    ? Object.keys(labelsOf(selector)).length === 0
    : Object.keys(fieldsOf(matchLabels)).length === 0 && listOf(matchExpressions).length === 0;
  if (isEmpty) {
    complaints.push(complaint('spec.selector', selector, 'is missing: an empty selector selects nothing of its own'));
  } else if (isPlain ? !matchesLabels(labelsOf(selector), labels) : !matchesSelector(selector, labels)) {
    const shown = isPlain ? selector : (matchLabels ?? matchExpressions);
    complaints.push(
      complaint('spec.template.metadata.labels', labels, `${quoted(labels)} are not selected by spec.selector ${quoted(shown)}`),
    );
  }
  return [...complaints, ...templateProblems(template)];
}

function templateProblems(template: Fields): Complaint[] {
  const { labels, annotations } = fieldsOf(template.metadata);
  return [
    ...labelProblems('spec.template.metadata.labels', labels),
    ...annotationProblems('spec.template.metadata.annotations', annotations),
    ...podSpecProblems(template.spec, 'spec.template.spec'),
  ];
}

/** A Job selects its Pods itself, and its Pods must be able to end. */
export function jobProblems(job: KubernetesObject): Complaint[] {
  if (!isFields(job.spec)) return [complaint('spec', job.spec, 'is missing')];
  const { template, ...counts } = job.spec;
  const complaints = ['parallelism', 'completions'].flatMap((field) => {
    const value = counts[field];
    const isCount = value === undefined || (typeof value === 'number' && Number.isInteger(value) && value >= 0);
    return isCount ? [] : [complaint(`spec.${field}`, value, `${quoted(value)} is not a number of Pods`)];
  });
  if (!isFields(template)) return [...complaints, complaint('spec.template', template, 'is missing')];
  const { restartPolicy } = fieldsOf(template.spec);
  const path = 'spec.template.spec.restartPolicy';
  const mayEnd = restartPolicy === 'OnFailure' || restartPolicy === 'Never';
  const policy = mayEnd
    ? []
    : [complaint(path, restartPolicy, `${quoted(restartPolicy ?? 'Always')} is unknown to Jobs, expected OnFailure, Never`)];
  return [...complaints, ...policy, ...templateProblems(template)];
}

export function podProblems(pod: KubernetesObject): Complaint[] {
  const status = fieldsOf(pod.status);
  const ips = listOf(status.podIPs).map((entry) => fieldsOf(entry).ip);
  const complaints = podSpecProblems(pod.spec, 'spec');
  for (const [index, ip] of ips.entries()) {
    if (typeof ip !== 'string' || parseAddress(ip) === undefined) {
      complaints.push(complaint(`status.podIPs[${index}].ip`, ip, `${quoted(ip)} is not an IP address`));
    }
  }
  const { podIP } = status;
  if (podIP !== undefined && podIP !== '' && (typeof podIP !== 'string' || parseAddress(podIP) === undefined)) {
    complaints.push(complaint('status.podIP', podIP, `${quoted(podIP)} is not an IP address`));
  }
  return complaints;
}

function podSpecProblems(podSpec: unknown, path: string): Complaint[] {
  const { containers, hostname, subdomain } = fieldsOf(podSpec);
  const names = [...hostLabelProblems(`${path}.hostname`, hostname), ...hostLabelProblems(`${path}.subdomain`, subdomain)];
  if (listOf(containers).length === 0)
    return [...names, complaint(`${path}.containers`, containers, 'is missing, expected at least one container')];
  return [...names, ...listOf(containers).flatMap((entry, index) => containerProblems(entry, `${path}.containers[${index}]`))];
}

function containerProblems(container: unknown, own: string): Complaint[] {
  if (!isFields(container)) return [complaint(own, container, `${quoted(container)} is not an object`)];
  const unnamed = container.name === undefined || container.name === '' ? [complaint(`${own}.name`, container.name, 'is missing')] : [];
  const names = new Set<unknown>();
  const ports = listOf(container.ports).flatMap((portEntry, portIndex) => {
    const at = `${own}.ports[${portIndex}]`;
    if (!isFields(portEntry)) return [complaint(at, portEntry, `${quoted(portEntry)} is not an object`)];
    const { name, containerPort, protocol } = portEntry;
    const isRepeated = !isUnset(name) && names.has(name);
    names.add(name);
    return [
      ...portNameProblems(`${at}.name`, name),
      ...(isRepeated ? [complaint(`${at}.name`, name, `${quoted(name)} is there twice`)] : []),
      ...(isPort(containerPort) ? [] : [outsidePorts(`${at}.containerPort`, containerPort)]),
      ...oneOf(`${at}.protocol`, protocol, ['TCP', 'UDP', 'SCTP']),
    ];
  });
  return [...unnamed, ...ports];
}
