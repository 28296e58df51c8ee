// How assertions went, as text for people, TAP for test harnesses and JUnit for CI servers.
import { formatEndpoint } from '../address.ts';
import type { Packet } from '../packet.ts';
import type { Paint } from './io.ts';
import type { Assertion } from './routing-run.ts';

export interface ReportContext {
  readonly paint: Paint;
  /** The way that led to the outcomes, in plain words. */
  wayOf(assertion: Assertion): string;
}

export function packetText({ source, sourcePort, destination, destinationPort, protocol }: Packet): string {
  return `${formatEndpoint(source, sourcePort)} → ${formatEndpoint(destination, destinationPort)}/${protocol}`;
}

export function textReport(assertions: readonly Assertion[], context: ReportContext): string {
  const { paint } = context;
  const lines = assertions.map((assertion) => {
    const { name, mode, node, place, failures, packet } = assertion;
    const where = paint.dim(`(${mode}, ${node})`);
    if (failures.length === 0) return `${paint.green('✓')} ${name} ${where}\n`;
    const said = failures.map((failure) => `    ${paint.red(failure)}\n`).join('');
    return `${paint.red('✗')} ${name} ${where}  ${place}\n${said}    ${packetText(packet)}\n${indented(context.wayOf(assertion), '    ')}`;
  });
  const failed = assertions.filter(({ failures }) => failures.length > 0).length;
  const verdict = failed === 0 ? paint.green(`${assertions.length} passed`) : paint.red(`${failed} failed`);
  const rest = failed === 0 ? '' : `, ${assertions.length - failed} passed`;
  return `${lines.join('')}\n${counted(assertions.length, 'assertion')}: ${verdict}${rest}\n`;
}

/** Test Anything Protocol, version 14. */
export function tapReport(assertions: readonly Assertion[], context: ReportContext): string {
  const lines = assertions.map((assertion, index) => {
    const { name, mode, node, place, failures, packet } = assertion;
    const title = `${index + 1} - ${name.replaceAll('#', '\\#')} (${mode}, ${node})`;
    if (failures.length === 0) return `ok ${title}\n`;
    const fields = { message: failures.join('; '), at: place, packet: packetText(packet), way: context.wayOf(assertion) };
    const diagnostics = Object.entries(fields).map(([field, value]) => `  ${field}: ${JSON.stringify(value)}\n`);
    return `not ok ${title}\n  ---\n${diagnostics.join('')}  ...\n`;
  });
  return `TAP version 14\n1..${assertions.length}\n${lines.join('')}`;
}

/** The XML that CI servers read as JUnit's. `suite`: the file of the cases. */
export function junitReport(assertions: readonly Assertion[], suite: string, context: ReportContext): string {
  const failed = assertions.filter(({ failures }) => failures.length > 0).length;
  const counts = `tests="${assertions.length}" failures="${failed}" errors="0" skipped="0"`;
  const cases = assertions.map((assertion) => {
    const { name, mode, node, place, failures, packet } = assertion;
    const opening = `    <testcase name="${xmlText(`${name} (${mode}, ${node})`)}" classname="${xmlText(`${suite}.${mode}`)}"`;
    if (failures.length === 0) return `${opening}/>\n`;
    const body = `${place}\n${packetText(packet)}\n${context.wayOf(assertion)}`;
    return `${opening}>\n      <failure message="${xmlText(failures.join('; '))}">${xmlText(body)}</failure>\n    </testcase>\n`;
  });
  const suites = `  <testsuite name="${xmlText(suite)}" ${counts}>\n${cases.join('')}  </testsuite>\n`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${counts}>\n${suites}</testsuites>\n`;
}

const XML_ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** Escaped; characters that XML 1.0 cannot hold become `?`. */
function xmlText(text: string): string {
  return text
    .replace(/[\p{Cc}\ufffe\uffff]/gu, (char) => ('\t\n\r'.includes(char) ? char : '?'))
    .replace(/[&<>"']/g, (char) => XML_ENTITIES[char] ?? char);
}

function indented(text: string, indent: string): string {
  return text.replace(/^(?=.)/gm, indent);
}

function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
