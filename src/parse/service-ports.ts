// Whose rule is it? A dump has lost the ServicePorts; kube-proxy's comments and chains give them back.
import type { Chain, Rule, Table } from '../program/ruleset.ts';

/** `namespace/name:port` or `namespace/name`, as a word of a comment. */
const NAME = /(?:^|\s)([a-z0-9][a-z0-9.-]*\/[a-z0-9][a-z0-9.-]*(?::[a-z0-9-]+)?)(?=\s|$)/;

/** Chains of one ServicePort each. */
const SERVICE_CHAIN = /^KUBE-(SVC|SVL|EXT|FW|SEP)-/;

/** Rules in kube-proxy's chains get the ServicePort of their comment, or that of the chain they stand in. */
export function withServicePorts(table: Table): Table {
  const owners = chainOwners(table);
  return { ...table, chains: table.chains.map((chain) => ownedChain(chain, owners.get(chain.name))) };
}

function ownedChain(chain: Chain, owner: string | undefined): Chain {
  if (!chain.name.startsWith('KUBE-')) return chain;
  const rules = chain.rules.map((rule) => {
    const servicePort = namedInComment(rule) ?? owner;
    return servicePort === undefined ? rule : { ...rule, servicePort };
  });
  return { ...chain, rules };
}

/** By a comment inside, else by whoever jumps there: large clusters leave most comments out. */
function chainOwners({ chains }: Table): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  const claim = (chain: string, owner: string | undefined): void => {
    if (owner !== undefined && SERVICE_CHAIN.test(chain) && !owners.has(chain)) owners.set(chain, owner);
  };
  for (const chain of chains) for (const rule of chain.rules) claim(chain.name, namedInComment(rule));
  // From captures over EXT and FW to SVC and SEP: a jump leads at most four chains deep.
  for (let depth = 0; depth < 4; depth++) {
    for (const chain of chains.filter(({ name }) => name.startsWith('KUBE-'))) {
      for (const rule of chain.rules)
        if (rule.target.kind === 'jump') claim(rule.target.chain, namedInComment(rule) ?? owners.get(chain.name));
    }
  }
  return owners;
}

function namedInComment({ matches }: Rule): string | undefined {
  const comment = matches.find(({ kind }) => kind === 'comment');
  return comment?.kind === 'comment' ? NAME.exec(comment.text)?.[1] : undefined;
}
