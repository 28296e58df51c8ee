// The words of a rule in the language of its table's tool. Explanations and traces print rules with it.
import type { Rule, Table } from '../program/ruleset.ts';
import { type NftWords, nftRuleText } from './nft-rule-text.ts';
import { ruleText } from './rule-text.ts';

/** As iptables-save prints it, or as `nft list` does. */
export function stepText(rule: Rule, table: Table, chainName: string, words: NftWords): string {
  return table.tool === 'nft' ? nftRuleText(rule, words) : ruleText(rule, chainName, words.family);
}
