// Label selectors: the plain map of a Service and the matchLabels/matchExpressions of a workload.
import { type Fields, fieldsOf, isFields, labelsOf, listOf, textOf, textsOf } from './fields.ts';

type Labels = Readonly<Record<string, string>>;

export function matchesLabels(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

/** A LabelSelector; an absent one selects nothing, an empty one everything. */
export function matchesSelector(selector: unknown, labels: Labels): boolean {
  if (!isFields(selector)) return false;
  return (
    matchesLabels(labelsOf(selector.matchLabels), labels) &&
    listOf(selector.matchExpressions).every((expression) => matchesExpression(fieldsOf(expression), labels))
  );
}

function matchesExpression(expression: Fields, labels: Labels): boolean {
  const value = labels[textOf(expression.key)];
  const values = textsOf(expression.values);
  switch (expression.operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}
