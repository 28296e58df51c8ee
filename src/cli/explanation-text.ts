// An explanation as a person reads it: a headline, the outcomes with their odds, and the way with the rules that decided.
import { formatEndpoint } from '../address.ts';
import type { Explanation, Outcome, ServicePortView } from '../dataplane-types.ts';
import type { Packet } from '../packet.ts';
import { percent } from './rule-words.ts';
import { formatTable } from './table.ts';
import { type WayFormat, wayText } from './way-text.ts';

/** What the text says beside the explanation itself. */
export interface ExplanationContext extends WayFormat {
  readonly packet: Packet;
  /** `hostnames.default`; absent for a bare address. */
  readonly destinationName?: string;
  readonly mode: string;
  readonly node: string;
  readonly rulesEvaluated: number;
  readonly servicePorts: readonly ServicePortView[];
  /** Whose address it is: the Pod and its Node. */
  owner(address: string): { readonly pod: string; readonly node: string } | undefined;
}

export function explanationText(explanation: Explanation, context: ExplanationContext): string {
  const { outcomes } = explanation;
  const parts = [
    headline(outcomes, context),
    outcomeTable(outcomes, context),
    unusedText(outcomes, context),
    wayText(outcomes, context.rulesEvaluated, context),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function headline(outcomes: readonly Outcome[], context: ExplanationContext): string {
  const { packet, destinationName, mode, node, paint } = context;
  const to = formatEndpoint(packet.destination, packet.destinationPort);
  const destination = destinationName === undefined ? to : `${destinationName} ${to}`;
  const from = formatEndpoint(packet.source, packet.sourcePort);
  return `${paint.bold(`${from} → ${destination}/${packet.protocol}`)} in ${mode} mode on ${node}: ${summary(outcomes, context)}\n`;
}

function summary(outcomes: readonly Outcome[], context: ExplanationContext): string {
  const { paint } = context;
  const actions = new Set(outcomes.map((outcome) => outcome.action));
  const backends = new Set(outcomes.flatMap(({ backend }) => (backend === undefined ? [] : formatEndpoint(backend.address, backend.port))));
  if (actions.size > 1) return paint.bold(`it depends: ${[...actions].join(' or ')}`);
  const [only] = outcomes;
  switch (only?.action) {
    case 'DNAT':
      return paint.green(`DNAT to ${backendsText(only, [...backends], context)}`);
    case 'REJECT':
      return paint.red('REJECT: refused at once with an ICMP error');
    case 'DROP':
      return paint.red('DROP: the packet disappears, and the client waits for its timeout');
    default:
      return paint.yellow('ACCEPT: no Service takes this packet, it goes on as it is');
  }
}

/** Most schedulers of IPVS have one choice for a packet, of several servers. */
function backendsText({ servicePort }: Outcome, backends: readonly string[], { mode, servicePorts }: ExplanationContext): string {
  if (backends.length !== 1) return `one of ${backends.length} backends`;
  const endpoints = servicePorts.find((view) => view.servicePort === servicePort)?.endpoints ?? [];
  const isPicked = mode === 'ipvs' && endpoints.filter(({ unusedBecause }) => unusedBecause === undefined).length > 1;
  return isPicked ? `${backends[0]}, which IPVS picks for this packet` : `the only backend, ${backends[0]}`;
}

function outcomeTable(outcomes: readonly Outcome[], { owner }: ExplanationContext): string {
  if (!outcomes.some((outcome) => outcome.backend !== undefined)) return '';
  const rows = [...outcomes].map((outcome) => {
    const { backend } = outcome;
    const pod = backend === undefined ? undefined : owner(backend.address);
    const shown = backend === undefined ? outcome.action : formatEndpoint(backend.address, backend.port);
    return [shown, pod?.pod ?? '-', pod?.node ?? '-', percent(outcome.probability), outcome.masquerade ? 'yes, as this node' : 'no'];
  });
  return formatTable(['BACKEND', 'POD', 'NODE', 'CHANCE', 'MASQUERADE'], rows);
}

/** Why a Service sends nothing anywhere: its endpoints and what keeps each from being used. */
function unusedText(outcomes: readonly Outcome[], { servicePorts, packet, owner }: ExplanationContext): string {
  if (!outcomes.some(lacksEndpoints)) return '';
  const names = new Set(outcomes.map(({ servicePort }) => servicePort));
  const views = servicePorts.filter((view) => names.has(view.servicePort) && view.protocol === packet.protocol);
  return views.map((view) => unusedOf(view, owner)).join('');
}

/** Refused for want of endpoints, and not, say, for its source address. */
function lacksEndpoints({ action, path }: Outcome): boolean {
  return (
    action === 'REJECT' || (action === 'DROP' && path.some((step) => step.kind === 'rule' && step.text.includes('has no local endpoints')))
  );
}

function unusedOf(view: ServicePortView, owner: ExplanationContext['owner']): string {
  if (view.endpoints.length === 0)
    return `${view.servicePort} has no endpoints at all: no Pod matches its selector, or none has an address.\n`;
  const rows = view.endpoints.map((endpoint) => [
    formatEndpoint(endpoint.address, endpoint.port),
    owner(endpoint.address)?.pod ?? '-',
    owner(endpoint.address)?.node ?? '-',
    endpoint.unusedBecause ?? (endpoint.isLocal ? 'usable' : 'usable, but not on this node'),
  ]);
  return formatTable(['ENDPOINT', 'POD', 'NODE', 'STATE'], rows);
}
