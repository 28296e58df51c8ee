// Findings as SARIF 2.1.0, which code hosts and editors show beside the lines.
import { type Finding, RULES, type RuleId } from './finding.ts';

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';
const STANDARD_INPUT = '<stdin>';

/** One log with one run. @param version of svcplane */
export function sarifLog(findings: readonly Finding[], version: string): object {
  const ids = Object.keys(RULES);
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'svcplane', version, rules: Object.entries(RULES).map(([id, rule]) => ruleOf(id, rule)) } },
        columnKind: 'utf16CodeUnits',
        results: findings.map((finding) => resultOf(finding, ids.indexOf(finding.rule))),
      },
    ],
  };
}

function ruleOf(id: string, { level, title }: (typeof RULES)[RuleId]): object {
  return { id, shortDescription: { text: title }, defaultConfiguration: { level } };
}

function resultOf({ rule, level, kind, object, path, location, reason, remedy }: Finding, ruleIndex: number): object {
  const name = `${kind}/${object}`;
  const isInFile = location !== undefined && location.origin !== STANDARD_INPUT;
  return {
    ruleId: rule,
    ruleIndex,
    level,
    message: { text: `${kind} ${object}: ${reason}. Remedy: ${remedy}.` },
    locations: [
      {
        ...(isInFile ? { physicalLocation: { artifactLocation: { uri: uriOf(location.origin) }, ...regionOf(location) } } : {}),
        logicalLocations: [{ fullyQualifiedName: `${name}#${path}`, name: object, kind: 'resource' }],
      },
    ],
    // The same finding keeps its name when lines move.
    partialFingerprints: { 'svcplane/v1': `${rule}:${name}#${path}` },
  };
}

function regionOf({ line, column }: { readonly line?: number; readonly column?: number }): object {
  if (line === undefined) return {};
  return { region: { startLine: line, ...(column === undefined ? {} : { startColumn: column }) } };
}

function uriOf(path: string): string {
  const slashed = encodeURI(path.replaceAll('\\', '/')).replaceAll('#', '%23').replaceAll('?', '%3F');
  if (/^[A-Za-z]:\//.test(slashed)) return `file:///${slashed}`;
  return slashed.startsWith('/') ? `file://${slashed}` : slashed;
}
