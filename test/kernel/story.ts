// What is printed when kernel and model disagree: enough to repeat it by hand.
import { formatEndpoint, parseAddress } from '../../src/address.ts';
import type { Dataplane, Outcome } from '../../src/dataplane-types.ts';
import { type Probe, packetOf } from './probe.ts';
import type { Testbed } from './testbed.ts';
import type { Attempt, Observation } from './wire.ts';

interface Scene {
  readonly testbed: Testbed;
  readonly dataplane: Dataplane;
  readonly title: string;
  readonly probe: Probe;
  readonly outcomes: readonly Outcome[];
}

/** Rulesets are long; the first lines and the foretold path name what matters. */
const RULE_LINES_MAX = 150;

export function disagreementStory(scene: Scene & { readonly attempt: Attempt; readonly observation: Observation }): string {
  const { attempt, observation, outcomes } = scene;
  return [
    ...headline(scene),
    `  from ${formatEndpoint(attempt.source, attempt.sourcePort)}, ${attempt.timeoutMs} ms of patience`,
    '  foretold:',
    ...outcomes.map((outcome) => `    ${outcomeText(outcome)}`),
    `  observed: ${JSON.stringify(observation)}`,
    ...evidence(scene),
  ].join('\n');
}

export function unseenStory(scene: Scene & { readonly count: number }): string {
  const { outcomes, count } = scene;
  return [
    ...headline(scene),
    `  foretold, but never seen in ${count} connections:`,
    ...outcomes.map((outcome) => `    ${outcomeText(outcome)}`),
    ...evidence(scene),
  ].join('\n');
}

function headline({ testbed, title, probe }: Scene): string[] {
  const { protocol, source, destination, port } = probe;
  return [`${testbed.variant.name}: ${title}: ${probe.title}: ${protocol} ${source} -> ${formatEndpoint(destination, port)}`];
}

function outcomeText({ action, backend, masquerade, probability, servicePort }: Outcome): string {
  const to = backend === undefined ? '' : ` to ${formatEndpoint(backend.address, backend.port)}`;
  return `${action}${to}${masquerade ? ', masquerade' : ''}, probability ${probability.toFixed(4)}, of ${servicePort ?? 'no Service'}`;
}

function evidence({ testbed, dataplane, probe, outcomes }: Scene): string[] {
  const steps = outcomes[0]?.path ?? dataplane.explain(packetOf(probe, testbed)).outcomes[0]?.path ?? [];
  const family = parseAddress(probe.source)?.family;
  const texts = dataplane.render().filter((rendered) => rendered.family === family);
  const rules = texts.flatMap(({ tool, text }) => [`    # ${tool}`, ...text.split('\n').map((line) => `    ${line}`)]);
  const rest = rules.length - RULE_LINES_MAX;
  return [
    '  path of the first of them:',
    ...steps.map((step) => `    ${'text' in step ? `${step.kind}: ${step.text}` : JSON.stringify(step)}`),
    '  rules loaded:',
    ...rules.slice(0, RULE_LINES_MAX),
    ...(rest > 0 ? [`    … and ${rest} more lines`] : []),
  ];
}
