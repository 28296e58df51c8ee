// Objects that lean on a Service which is not there, and external names that are none.
import { parseAddress } from '../address.ts';
import { namespaceOf, objectName } from '../api/kinds.ts';
import { fieldsOf, textOf } from '../cluster/fields.ts';
import { serviceOfSlice } from '../cluster/service-slices.ts';
import type { Issue } from './finding.ts';
import type { Scene } from './scene.ts';

export function checkReferences(scene: Scene): Issue[] {
  const services = new Map(scene.objectsOf('Service').map((service) => [objectName(service), service]));
  const refused = new Set(scene.refused.filter(({ kind }) => kind === 'Service').map(objectName));
  const isKnown = (name: string) => services.has(name) || refused.has(name);
  const slices = scene.objectsOf('EndpointSlice').flatMap((slice): Issue[] => {
    const service = serviceOfSlice(slice);
    if (isKnown(`${namespaceOf(slice)}/${service}`)) return [];
    const reason =
      service === ''
        ? 'it has no label kubernetes.io/service-name, so nobody reads it'
        : `there is no Service ${service} in namespace ${namespaceOf(slice)}, so its endpoints get no traffic and no name`;
    return [
      {
        rule: 'dangling-slice',
        object: slice,
        path: 'metadata.labels',
        reason,
        remedy: 'name an existing Service in the label kubernetes.io/service-name',
      },
    ];
  });
  const statefulSets = scene.objectsOf('StatefulSet').flatMap((set): Issue[] => {
    const name = textOf(fieldsOf(set.spec).serviceName);
    const service = services.get(`${namespaceOf(set)}/${name}`);
    const isFine = service === undefined ? refused.has(`${namespaceOf(set)}/${name}`) : fieldsOf(service.spec).clusterIP === 'None';
    if (name === '' || isFine) return [];
    const example = `${set.metadata.name}-0.${name}`;
    return [
      {
        rule: 'service-name-unknown',
        object: set,
        path: 'spec.serviceName',
        reason:
          service === undefined
            ? `there is no Service ${name} in namespace ${namespaceOf(set)}, so names like ${example} do not resolve`
            : `Service ${name} is not headless, so ${example} resolves, and ${name} is a cluster IP instead of the Pods`,
        remedy: `make ${name} a headless Service (clusterIP: None) that selects these Pods`,
      },
    ];
  });
  const externalNames = scene.objectsOf('Service').flatMap((service): Issue[] => {
    const { type, externalName } = fieldsOf(service.spec);
    if (type !== 'ExternalName' || parseAddress(textOf(externalName)) === undefined) return [];
    return [
      {
        rule: 'external-name-address',
        object: service,
        path: 'spec.externalName',
        reason: `${textOf(externalName)} is an address, and DNS has no alias for addresses: the name does not resolve (NXDOMAIN)`,
        remedy: 'write a host name, or a Service without selector with an EndpointSlice that holds the address',
      },
    ];
  });
  return [...slices, ...statefulSets, ...externalNames];
}
