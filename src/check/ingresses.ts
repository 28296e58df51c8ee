// Ingresses whose backends are no Service here, or no port of one: whoever reads them answers 503, or drops the route.
import { namespaceOf, objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { fieldsOf, isFields, listOf, textOf } from '../cluster/fields.ts';
import { nearestName } from '../edit-distance.ts';
import type { Issue } from './finding.ts';
import type { Scene } from './scene.ts';
import { listed } from './words.ts';

/** What an Ingress says about one backend: networking.k8s.io/v1 knows Services by name, with a port that is a number or a name. */
interface Backend {
  readonly path: string;
  readonly service: string;
  readonly port: number | string | undefined;
}

export function checkIngresses({ objectsOf, refused }: Scene): Issue[] {
  const services = new Map(objectsOf('Service').map((service) => [objectName(service), service]));
  const isRefused = (name: string) => refused.some((object) => object.kind === 'Service' && objectName(object) === name);
  return objectsOf('Ingress').flatMap((ingress) => {
    const namespace = namespaceOf(ingress);
    const names = [...services.values()].filter((service) => namespaceOf(service) === namespace).map(({ metadata }) => metadata.name);
    // Without any Service of its namespace, these are the manifests of something else.
    if (names.length === 0) return [];
    return backendsOf(ingress).flatMap((backend): Issue[] => {
      const name = `${namespace}/${backend.service}`;
      if (isRefused(name)) return [];
      const service = services.get(name);
      return service === undefined ? [unknownService(ingress, backend, names)] : portIssues(ingress, backend, service);
    });
  });
}

function unknownService(ingress: KubernetesObject, { path, service }: Backend, names: readonly string[]): Issue {
  const meant = nearestName(service, names);
  return {
    rule: 'ingress-backend-unknown',
    object: ingress,
    path: `${path}.name`,
    reason: `there is no Service ${service} in namespace ${namespaceOf(ingress)}, so its requests are answered with an error`,
    remedy: meant === undefined ? `name one that is there: ${listed(names)}` : `write name: ${meant}`,
  };
}

function portIssues(ingress: KubernetesObject, { path, service: name, port }: Backend, service: KubernetesObject): Issue[] {
  const { type, ports } = fieldsOf(service.spec);
  const known = listOf(ports).map(fieldsOf);
  if (port === undefined || type === 'ExternalName' || known.some((each) => each.port === port || each.name === port)) return [];
  const targeted = known.find((each) => each.targetPort === port);
  const words = known.map((each) => `${String(each.port)}${textOf(each.name) === '' ? '' : ` named ${textOf(each.name)}`}`);
  return [
    {
      rule: 'ingress-backend-unknown',
      object: ingress,
      path: `${path}.port`,
      reason: `Service ${name} has no port ${port}, so its requests are answered with an error`,
      remedy:
        targeted === undefined
          ? `take one that it has: ${listed(words)}`
          : `${port} is the port of its Pods: write the port of the Service, ${String(targeted.port)}`,
    },
  ];
}

function backendsOf({ spec }: KubernetesObject): Backend[] {
  const { defaultBackend, rules } = fieldsOf(spec);
  const paths = listOf(rules).flatMap((rule, index) =>
    listOf(fieldsOf(fieldsOf(rule).http).paths).map((entry, number) => ({
      path: `spec.rules[${index}].http.paths[${number}].backend`,
      backend: fieldsOf(entry).backend,
    })),
  );
  return [{ path: 'spec.defaultBackend', backend: defaultBackend }, ...paths].flatMap(({ path, backend }) => {
    const { service } = fieldsOf(backend);
    if (!isFields(service) || textOf(service.name) === '') return [];
    const { number, name } = fieldsOf(service.port);
    const port = typeof number === 'number' ? number : textOf(name) || undefined;
    return [{ path: `${path}.service`, service: textOf(service.name), port }];
  });
}
