// A Program of nftables mode as `nft -f` reads it: one table, complete, in one transaction.
import type { Family } from '../address.ts';
import type { Rendered } from '../dataplane-types.ts';
import type { Program } from '../program/program.ts';
import type { Chain, Table } from '../program/ruleset.ts';
import type { ElementKey, KeyField, NamedSet, VerdictMap } from '../program/sets.ts';
import { firstOfEach } from './first-of-each.ts';
import { type NftWords, nftRuleText, nftType } from './nft-rule-text.ts';

/** A Service's name in front of its port's can be longer: nft refuses the whole text then. */
const COMMENT_LENGTH_MAX = 128;

/** Whatever the table held before is gone: the text can be loaded again and again. */
export function renderNft(program: Program): Rendered {
  const text = program.tables.map((table) => tableText(table, program)).join('');
  return { tool: 'nft', family: program.family, text };
}

/** The words for the rules of a Program. */
export function nftWordsOf({ family, maps }: Program): NftWords {
  const keys = new Map(maps.map(({ name, key }) => [name, key]));
  return { family, mapKey: (name) => keys.get(name) ?? [] };
}

function tableText(table: Table, program: Program): string {
  const { family, sets, maps } = program;
  const name = `table ${family === 'IPv4' ? 'ip' : 'ip6'} ${table.name}`;
  const words = nftWordsOf(program);
  const blocks = [
    ...sets.map((set) => block(`set ${set.name}`, setLines(set, family))),
    ...maps.map((map) => block(`map ${map.name}`, mapLines(map, family))),
    ...table.chains.map((chain) => block(`chain ${chain.name}`, chainLines(chain, words))),
  ];
  const about = table.comment === undefined ? '' : `\tcomment ${quote(table.comment)}\n\n`;
  return `${name}\ndelete ${name}\n${name} {\n${about}${blocks.join('\n')}}\n`;
}

function block(title: string, lines: readonly string[]): string {
  return `\t${title} {\n${lines.map((line) => `\t\t${line}\n`).join('')}\t}\n`;
}

function setLines({ key, elements, comment, timeoutSeconds }: NamedSet, family: Family): string[] {
  const members = elements.map(keyText);
  return [
    `type ${typeText(key, family)}`,
    ...(key.includes('network') ? ['flags interval'] : []),
    ...(timeoutSeconds === undefined ? [] : ['flags dynamic,timeout', `timeout ${timeoutSeconds}s`]),
    ...commentLines(comment),
    ...(members.length === 0 ? [] : [`elements = { ${members.join(', ')} }`]),
  ];
}

/** nft wants an element's comment between its key and the colon. */
function mapLines({ key, elements, comment }: VerdictMap, family: Family): string[] {
  const members = firstOfEach(elements, ({ key: fields }) => keyText(fields)).map((element) => {
    const about = element.comment === undefined ? '' : ` comment ${quote(element.comment.slice(0, COMMENT_LENGTH_MAX))}`;
    const verdict = element.verdict.kind === 'drop' ? 'drop' : `goto ${element.verdict.chain}`;
    return `\t${keyText(element.key)}${about} : ${verdict}`;
  });
  const last = members.length - 1;
  return [
    `type ${typeText(key, family)} : verdict`,
    ...commentLines(comment),
    ...(members.length === 0 ? [] : ['elements = {', ...members.map((member, index) => (index < last ? `${member},` : member)), '}']),
  ];
}

function chainLines({ base, rules, comment }: Chain, words: NftWords): string[] {
  // A number: nft refuses names of priorities in output hooks.
  const hooked =
    base === undefined ? [] : [`type ${base.type} hook ${base.hook.toLowerCase()} priority ${base.priority}; policy ${base.policy};`];
  return [...commentLines(comment), ...hooked, ...rules.map((rule) => nftRuleText(rule, words))];
}

function commentLines(comment: string | undefined): string[] {
  return comment === undefined ? [] : [`comment ${quote(comment)}`];
}

function typeText(key: readonly KeyField[], family: Family): string {
  return key.map((field) => nftType(field, family)).join(' . ');
}

function keyText(key: ElementKey): string {
  return key.join(' . ');
}

/** nft has no escapes; nothing that kube-proxy writes has quotes. */
function quote(text: string): string {
  return `"${text}"`;
}
