// Objects of one kind, found by who controls them and by their labels: without it, every controller would ask every Pod.
import { namespaceOf } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { labelsOf } from './fields.ts';
import { matchesLabels } from './selector.ts';
import { controllerOf } from './store.ts';

export class ObjectIndex {
  readonly #byNamespace = new Map<string, KubernetesObject[]>();
  readonly #byController = new Map<string, KubernetesObject[]>();
  readonly #byLabel = new Map<string, KubernetesObject[]>();

  /** Each answer keeps the order in which the objects come. */
  constructor(objects: readonly KubernetesObject[]) {
    for (const object of objects) {
      const namespace = namespaceOf(object);
      const controller = controllerOf(object);
      add(this.#byNamespace, namespace, object);
      add(this.#byController, controller === undefined ? namespace : `${namespace}/${controller.kind}/${controller.name}`, object);
      for (const [key, value] of Object.entries(labelsOf(object.metadata.labels)))
        add(this.#byLabel, `${namespace}/${key}=${value}`, object);
    }
  }

  controlledBy(owner: KubernetesObject): readonly KubernetesObject[] {
    return this.#byController.get(`${namespaceOf(owner)}/${owner.kind}/${owner.metadata.name}`) ?? [];
  }

  /** Those that no controller owns. */
  uncontrolled(namespace: string): readonly KubernetesObject[] {
    return this.#byController.get(namespace) ?? [];
  }

  /** Those that have all of these labels; all of the namespace for none. */
  labelled(namespace: string, labels: Readonly<Record<string, string>>): readonly KubernetesObject[] {
    const [first] = Object.entries(labels);
    if (first === undefined) return this.#byNamespace.get(namespace) ?? [];
    const candidates = this.#byLabel.get(`${namespace}/${first[0]}=${first[1]}`) ?? [];
    return candidates.filter((object) => matchesLabels(labels, labelsOf(object.metadata.labels)));
  }
}

function add(groups: Map<string, KubernetesObject[]>, key: string, object: KubernetesObject): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [object]);
  else group.push(object);
}
