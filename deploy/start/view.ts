import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import type { Totals } from './tally.js';

/** What is going on. */
export type Phase = 'streaming' | 'draining' | 'waiting for the last answers' | 'done';

/** What Ctrl-C does, in the phases in which somebody may want to know. */
const hints: Readonly<Partial<Record<Phase, string>>> = {
  streaming: 'Ctrl-C finishes what is in flight and prints a summary.',
  draining: 'A second Ctrl-C ends at once.',
};

/** What the live view shows. */
export interface Frame {
  readonly model: string;
  readonly source: string;
  readonly brokers: readonly string[];
  readonly totals: Totals;
  /** Rows in the topic that the members have not answered; undefined until it is known. */
  readonly lag: number | undefined;
  readonly members: readonly MemberLine[];
  readonly elapsedMs: number;
  readonly phase: Phase;
  /** Predictions per second, one number a tick, oldest first. */
  readonly history: readonly number[];
}

export interface MemberLine {
  readonly name: string;
  readonly state: string;
  readonly url: string | undefined;
}

const bars = '▁▂▃▄▅▆▇█';
const labelWidth = 14;
const countWidth = 12;

/** The live view as text of at most `columns` columns. */
export function renderView(frame: Frame, columns: number): string {
  const { totals } = frame;
  const hint = hints[frame.phase];
  const lines = [
    '',
    `${pc.bold('millrace')}  ${frame.model}  ${pc.dim(`${frame.source} · broker ${frame.brokers.join(', ')}`)}`,
    `${pc.cyan(frame.phase)}  ${clock(frame.elapsedMs)}  ${pc.green(sparkline(frame.history))}`,
    '',
    row('rows in', count(totals.sent), `${count(totals.sentPerSecond)}/s`),
    row('predictions', count(totals.predicted), `${count(totals.predictedPerSecond)}/s   ${latency(totals)}`),
    row('dead letters', count(totals.numDeadLetters), byCode(totals)),
    row('lag', frame.lag === undefined ? '-' : count(frame.lag), 'rows not answered yet'),
    row('accuracy', accuracy(totals), `of ${count(totals.numScored)} rows with a known label`),
    '',
    ...frame.members.flatMap((member) => memberLines(member)),
    ...(hint === undefined ? [] : ['', pc.dim(hint)]),
  ];
  return lines.map((line) => cut(line, columns)).join('\n');
}

/** One plain line, for where there is no terminal. */
export function renderLine(frame: Frame): string {
  const { totals } = frame;
  return [
    clock(frame.elapsedMs),
    frame.phase,
    `rows in ${totals.sent}`,
    `predictions ${totals.predicted} (${totals.predictedPerSecond.toFixed(0)}/s)`,
    latency(totals),
    `lag ${frame.lag ?? '-'}`,
    `accuracy ${accuracy(totals)}`,
    `dead letters ${totals.numDeadLetters}`,
  ].join('  ');
}

/** The accounts of the whole run. Says whether they add up: every row answered once. */
export function renderSummary(totals: Totals, seconds: number): string {
  const answered = totals.predicted + totals.numDeadLetters;
  const verdict = addsUp(totals)
    ? pc.green('every row was answered exactly once')
    : pc.red(
        [
          totals.outstanding > 0 ? `${count(totals.outstanding)} rows were not answered` : '',
          totals.unexpected > 0 ? `${count(totals.unexpected)} answers came twice or for no row` : '',
        ]
          .filter(Boolean)
          .join(', '),
      );
  return [
    '',
    pc.bold('Summary'),
    row('rows in', count(totals.sent), `${count(totals.sentPerSecond)}/s over ${seconds.toFixed(1)} s`),
    row('predictions', count(totals.predicted), latency(totals)),
    row('dead letters', count(totals.numDeadLetters), byCode(totals)),
    row('accuracy', accuracy(totals), `of ${count(totals.numScored)} rows with a known label`),
    `  ${count(totals.sent)} rows in = ${count(totals.predicted)} predictions + ${count(totals.numDeadLetters)} dead letters` +
      `${answered === totals.sent ? '' : ` + ${count(totals.outstanding)} unanswered`}:\n  ${verdict}`,
    '',
  ].join('\n');
}

export function addsUp(totals: Totals): boolean {
  return totals.outstanding === 0 && totals.unexpected === 0;
}

function row(label: string, value: string, note: string): string {
  return `  ${label.padEnd(labelWidth)}${pc.bold(value.padStart(countWidth))}   ${note}`.trimEnd();
}

function memberLines(member: MemberLine): string[] {
  const state = member.state === 'running' ? pc.green(member.state) : pc.yellow(member.state);
  const head = `  ${member.name.padEnd(labelWidth)}${state}`;
  if (member.url === undefined) return [head];
  return [`${head}  ${member.url}/health/ready  ${pc.dim('/metrics  /docs')}`];
}

function latency(totals: Totals): string {
  if (totals.p50Ms === undefined || totals.p99Ms === undefined) return 'end to end p50 -  p99 -';
  return `end to end p50 ${milliseconds(totals.p50Ms)}  p99 ${milliseconds(totals.p99Ms)}`;
}

function byCode(totals: Totals): string {
  return [...totals.deadLetters].map(([code, number]) => `${code} ${count(number)}`).join('  ');
}

function accuracy(totals: Totals): string {
  return totals.accuracy === undefined ? '-' : totals.accuracy.toFixed(4);
}

function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${count(ms)} ms`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}

function sparkline(values: readonly number[]): string {
  const highest = Math.max(...values, 1);
  return values
    .map((value) => bars[Math.min(bars.length - 1, Math.floor((value / highest) * bars.length))])
    .join('');
}

/** Cuts a line that is wider than the terminal; colours do not count, and are dropped from a line that is cut. */
function cut(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  return plain.length <= columns ? line : `${plain.slice(0, columns - 1)}…`;
}
