import pc from 'picocolors';
import type { Finding, Status } from './diagnose.js';

const marks: Record<Status, string> = { ok: '✔', absent: '·', warning: '▲', missing: '✖' };

/** The report for people: a line for each finding, and below it the command that mends it. */
export function formatFindings(findings: readonly Finding[], colour: boolean): string {
  const { bold, cyan, dim, green, red, yellow } = pc.createColors(colour);
  const paint: Record<Status, (text: string) => string> = {
    ok: green,
    absent: dim,
    warning: yellow,
    missing: red,
  };
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.flatMap(({ name, status, found, remedy }) => [
    `${paint[status](marks[status])} ${bold(name.padEnd(width))}  ${found}`,
    ...(remedy === undefined ? [] : [`  ${' '.repeat(width)}  ${dim('→')} ${cyan(remedy)}`]),
  ]);
  return `${lines.join('\n')}\n\n${conclusion(findings)}\n`;
}

function conclusion(findings: readonly Finding[]): string {
  const missing = findings.filter(({ status }) => status === 'missing').map(({ name }) => name);
  if (missing.length > 0) return `Something is missing: ${missing.join(', ')}.`;
  return 'Everything that is needed is there.';
}
