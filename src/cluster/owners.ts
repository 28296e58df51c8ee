// Who controls an object, as its ownerReferences say.
import { namespaceOf } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { type Fields, fieldsOf, listOf } from './fields.ts';

/** The owner that controls an object. */
export function controllerOf(object: KubernetesObject): { readonly kind: string; readonly name: string } | undefined {
  for (const reference of listOf(object.metadata.ownerReferences)) {
    const { controller, kind, name } = fieldsOf(reference);
    if (controller === true) return { kind: String(kind), name: String(name) };
  }
  return undefined;
}

export function isControlledBy(object: KubernetesObject, owner: KubernetesObject): boolean {
  const controller = controllerOf(object);
  return controller?.kind === owner.kind && controller.name === owner.metadata.name && namespaceOf(object) === namespaceOf(owner);
}

/** The reference by which a controller's objects name it. */
export function ownerReference(owner: KubernetesObject): Fields {
  return { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.metadata.name, controller: true, blockOwnerDeletion: true };
}
