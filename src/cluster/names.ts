// Names and choices that a cluster makes by chance are made here by hashing, so that the same input gives the same cluster.
import { comparableJson } from './fields.ts';

// apimachinery's alphabet of generated names: no vowels and no look-alikes, so that no word appears by accident.
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
const TEMPLATE_HASH_LENGTH = 10;
/** A generated name is cut so that it and its suffix fit into a DNS label of 63 characters. */
const GENERATED_PREFIX_MAX = 58;

/** FNV-1a over UTF-16 units, then murmur3's finisher, because neighbours like `web-1` and `web-2` must end far apart. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** `<prefix><5 characters>`, as the API server completes a generateName. */
export function generatedName(prefix: string, seed: string): string {
  let rest = hash32(seed);
  let suffix = '';
  for (let index = 0; index < SUFFIX_LENGTH; index++) {
    suffix += ALPHABET.charAt(rest % ALPHABET.length);
    rest = Math.floor(rest / ALPHABET.length);
  }
  return prefix.slice(0, GENERATED_PREFIX_MAX) + suffix;
}

/** What the API server fills into a template. Not restartPolicy: `Always` makes a sidecar of an init container. */
const TEMPLATE_DEFAULTS = {
  dnsPolicy: 'ClusterFirst',
  failureThreshold: 3,
  periodSeconds: 10,
  protocol: 'TCP',
  scheme: 'HTTP',
  schedulerName: 'default-scheduler',
  successThreshold: 1,
  terminationGracePeriodSeconds: 30,
  timeoutSeconds: 1,
};

/** The pod-template-hash of a workload: a number's digits in the alphabet of generated names, as Kubernetes writes it. */
export function templateHash(template: unknown): string {
  const digits = String(hash32(comparableJson(template, TEMPLATE_DEFAULTS) ?? '')).padStart(TEMPLATE_HASH_LENGTH, '0');
  return [...digits].map((digit) => ALPHABET.charAt(digit.charCodeAt(0) % ALPHABET.length)).join('');
}
