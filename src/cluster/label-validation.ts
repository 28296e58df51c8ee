// The API server's rules for labels, selectors and annotations: maps of text, whose keys and values have a form.
import { type Complaint, complaint, isDnsSubdomain, LABEL_MAX, quoted } from './complaint.ts';
import { isFields } from './fields.ts';

const NAME_PART = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const FORM = `at most ${LABEL_MAX} letters, digits, -, _ and ., a letter or digit first and last`;

/** `app`, `app.kubernetes.io/name`: a name, with a DNS name in front or not. */
export function isQualifiedName(text: unknown): text is string {
  if (typeof text !== 'string') return false;
  const parts = text.split('/');
  const name = parts.pop() ?? '';
  return parts.length <= 1 && parts.every(isDnsSubdomain) && name.length <= LABEL_MAX && NAME_PART.test(name);
}

/** Of metadata.labels, a Service's selector, matchLabels. */
export function labelProblems(path: string, labels: unknown): Complaint[] {
  return mapProblems(path, labels, (key, value) => {
    if (!isQualifiedName(key))
      return [complaint(path, key, `${quoted(key)} is not a label key: ${FORM}, a DNS name and / in front or not`)];
    const isValue = value === '' || (value.length <= LABEL_MAX && NAME_PART.test(value));
    return isValue ? [] : [complaint(path, value, `${quoted(value)} of ${key} is not a label value: ${FORM}`)];
  });
}

/** Their values may be any text, and prefixes of their keys are in lower case whatever is written. */
export function annotationProblems(path: string, annotations: unknown): Complaint[] {
  return mapProblems(path, annotations, (key) =>
    isQualifiedName(key.toLowerCase())
      ? []
      : [complaint(path, key, `${quoted(key)} is not an annotation key: ${FORM}, a DNS name and / in front or not`)],
  );
}

function mapProblems(path: string, map: unknown, check: (key: string, value: string) => Complaint[]): Complaint[] {
  if (map === undefined || map === null) return [];
  if (!isFields(map)) return [complaint(path, map, 'is not a map of text')];
  return Object.entries(map).flatMap(([key, value]) => {
    // In YAML, a number or true without quotes is no text.
    const remedy = typeof value === 'object' ? '' : ': write it in quotes';
    if (typeof value !== 'string') return [complaint(path, value, `${quoted(value)} of ${key} is not text${remedy}`)];
    return check(key, value);
  });
}
