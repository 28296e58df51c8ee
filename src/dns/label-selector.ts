// Equality selectors over labels, as the options `labels` and `namespaceLabels` carry them: `tier=live,app!=web`.
import { InvalidArgumentError } from '../errors.ts';

export type Labels = Readonly<Record<string, string>>;
export type LabelSelector = (labels: Labels) => boolean;

const REQUIREMENT = /^([\w./-]+)\s*(==|=|!=)\s*([\w.-]*)$/;

/** Every requirement must hold. @throws InvalidArgumentError for what is no equality */
export function parseLabelSelector(option: string, text: string): LabelSelector {
  const requirements = text.split(',').map((part): LabelSelector => {
    const [, key, operator, value] = REQUIREMENT.exec(part.trim()) ?? [];
    if (key === undefined) throw new InvalidArgumentError(option, text, 'is not a selector of the form key=value,key!=value');
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  });
  return (labels) => requirements.every((holds) => holds(labels));
}
