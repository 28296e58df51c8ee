// `svcplane dns explain`: every query that a Pod's resolver sends for a name, what each meets, and what a trailing dot would save.
import type { Cluster } from '../cluster/cluster.ts';
import { reasonText } from '../dns/reason-text.ts';
import type { ResolutionStep } from '../dns/resolution.ts';
import { type SearchWalk, searchWalk, type TrailingDot, trailingDot } from '../dns/search-walk.ts';
import { openClusterDns } from './dns-input.ts';
import type { DnsOptions } from './dns-options.ts';
import { type Io, type Paint, paintFor, writeJson } from './io.ts';
import { nearNames } from './near-names.ts';
import type { InputOptions, OutputFormat } from './options.ts';
import { recordData } from './record-text.ts';
import { formatTable } from './table.ts';

export interface ExplainOptions extends InputOptions, DnsOptions {
  readonly from: string;
  readonly type?: readonly string[];
  readonly output: OutputFormat;
}

/** What getaddrinfo asks for. */
const ADDRESS_TYPES = ['A', 'AAAA'];

export async function explain(name: string, options: ExplainOptions, io: Io): Promise<void> {
  const { dns, cluster, pod = '' } = await openClusterDns(options, io);
  const types = (options.type ?? ADDRESS_TYPES).map((type) => type.toUpperCase());
  const walk = await searchWalk(dns, name, types, pod);
  const dot = await trailingDot(dns, walk);
  if (options.output === 'json') writeJson(io, 'DnsExplanation', { from: pod, ...walk, trailingDot: dot });
  else io.stdout(`${explanation(pod, walk, dot, paintFor(io))}${walk.outcome === 'ANSWER' ? '' : meantText(name, cluster)}`);
}

function explanation(pod: string, walk: SearchWalk, dot: TrailingDot, paint: Paint): string {
  return [resolverText(pod, walk, paint), queriesText(walk, paint), answerText(walk), dotText(walk, dot)].join('\n');
}

function resolverText(pod: string, { name, resolvConf, isAbsolute }: SearchWalk, paint: Paint): string {
  const { search, ndots, dnsPolicy, asksClusterDns } = resolvConf;
  const dotCount = name.split('.').length - 1;
  const rule = isAbsolute
    ? 'ends in a dot: asked as it is'
    : `has ${dotCount} ${dotCount === 1 ? 'dot' : 'dots'}, ${dotCount < ndots ? `fewer than ${ndots}: the search list first` : `${ndots} or more: the name itself first`}`;
  const server = asksClusterDns ? 'the cluster DNS' : 'a resolver that does not know the cluster';
  return [
    paint.bold(`${pod} asks ${server} (dnsPolicy ${dnsPolicy}):`),
    `  search ${search.map((domain) => domain.replace(/(.)\.$/, '$1')).join(' ') || '(nothing)'}`,
    `  options ndots:${ndots}`,
    `  ${name} ${rule}`,
    '',
  ].join('\n');
}

function queriesText({ candidates }: SearchWalk, paint: Paint): string {
  const rows = candidates.flatMap(({ name, steps }, index) => {
    // Types that meet the same share a line.
    const groups = new Map<string, { types: string[]; step: ResolutionStep }>();
    for (const { type, step } of steps) {
      const key = `${step.outcome} ${meaning(step)}`;
      groups.set(key, { types: [...(groups.get(key)?.types ?? []), type], step });
    }
    return [...groups.values()].map(({ types, step }, at) => [
      at === 0 ? String(index + 1) : '',
      at === 0 ? name : '',
      types.join(', '),
      outcomeWord(step, paint),
      meaning(step),
    ]);
  });
  return `${paint.bold('The queries, in order:')}\n${formatTable([], rows, '  ')}`;
}

function outcomeWord({ outcome, rcode }: ResolutionStep, paint: Paint): string {
  if (outcome === 'ANSWER') return paint.green(outcome);
  return outcome === 'FAILURE' ? paint.red(rcode) : outcome;
}

function meaning({ answer, reason }: ResolutionStep): string {
  if (answer.length > 0) return answer.map((record) => recordData(record)).join(', ');
  return reason === undefined ? '' : reasonText(reason);
}

function answerText({ candidates, found, outcome, queryCount, goesOnWith }: SearchWalk): string {
  const cost = `${queryCount} ${queryCount === 1 ? 'query' : 'queries'}`;
  const last = candidates.at(-1)?.name ?? '';
  if (found !== undefined) return `${found} is what it finds, after ${cost}.\n`;
  if (outcome === 'NODATA') {
    const glibc = goesOnWith.length === 0 ? '' : ` (glibc goes on with ${goesOnWith.join(', ')})`;
    return `${last} exists without such records: most resolvers end here${glibc}, after ${cost}.\n`;
  }
  if (outcome === 'OUTSIDE')
    return `None of them is a name of the cluster. ${last} is for the resolver behind it to find, after ${cost}.\n`;
  return `Nothing is found, after ${cost}.\n`;
}

function dotText({ found, isAbsolute }: SearchWalk, { name, saves, outcome }: TrailingDot): string {
  if (isAbsolute) return 'It has its trailing dot already: nothing to save.\n';
  if (saves === 0)
    return `A trailing dot would save nothing: the first name tried ${found === undefined ? 'ends the search' : 'is found'}.\n`;
  const queries = `${saves} ${saves === 1 ? 'query' : 'queries'}`;
  const what = found !== undefined ? `Written as ${name}, with the dot at its end,` : `With a trailing dot, ${name},`;
  return `${what} it would save ${queries} each time${outcome === 'ANSWER' || found === undefined ? '' : ', and find nothing'}.\n`;
}

/** Services of nearly that name. */
function meantText(name: string, cluster: Cluster): string {
  const names = cluster.objects('Service').map(({ metadata }) => `${metadata.name}.${metadata.namespace}`);
  const near = nearNames(name, names);
  return near.length === 0 ? '' : `\nServices of nearly that name: ${near.join(', ')}.\n`;
}
