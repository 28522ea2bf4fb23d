import { table as markdownTable } from '../../docs/generator/markdown.js';
import type { Section } from '../benchmark.js';
import { machineSentence, type Machine } from '../machine.js';
import { textTable } from '../table.js';
import { drawCharts } from './bar-chart.js';

/** What one benchmark found, where and when. */
export interface Report {
  readonly benchmark: string;
  readonly summary: string;
  readonly machine: Machine;
  /** The day, in ISO form. */
  readonly date: string;
  readonly seconds: number;
  readonly sections: readonly Section[];
}

/** A benchmark that could not be measured, and why. */
export interface Failure {
  readonly benchmark: string;
  readonly summary: string;
  readonly reason: string;
}

/** What is shown at the end of a run: text for a terminal. */
export function reportText({ sections, machine, seconds }: Omit<Report, 'benchmark' | 'summary'>): string {
  const parts = sections.map(({ title, text, table }) =>
    [title, text, table && `\n${textTable(table).trimEnd()}`].filter((part) => part !== undefined).join('\n'),
  );
  return `${parts.join('\n\n')}\n\n${measured(machine, seconds)}\n`;
}

/** The page `performance.md`. */
export function performancePage(reports: readonly (Report | Failure)[]): string {
  const chapters = reports.map((report) => {
    const heading = `## ${report.benchmark}\n\n${capital(report.summary)}.`;
    if ('reason' in report) return `${heading}\n\nNot measured: ${report.reason}`;
    const sections = report.sections.map(({ title, text, table }) =>
      [`### ${title}`, text, table && markdownTable(table[0], table.slice(1))]
        .filter((part) => part !== undefined)
        .join('\n\n'),
    );
    return [`${heading} ${report.date}. ${measured(report.machine, report.seconds)}`, ...sections].join(
      '\n\n',
    );
  });
  return `# Performance

\`npm run bench\` wrote this page; [bench/](../bench/README.md) says how each figure is measured. Absolute figures belong to the
machine. What travels are the ratios: runs that are compared stood next to each other in time, in alternating order, and a ratio
is the median of those of each pair, with the lowest and the highest behind it.

![Medians as bars, with the lowest and the highest run as lines](images/performance.svg)

${chapters.join('\n\n')}
`;
}

/** The picture `performance.svg`: every chart of every report. */
export function performanceImage(reports: readonly (Report | Failure)[]): string {
  const charts = reports.flatMap((report) =>
    'reason' in report ? [] : report.sections.flatMap(({ chart }) => (chart === undefined ? [] : [chart])),
  );
  return drawCharts(charts, charts.map(({ title, unit }) => `${title}, in ${unit}`).join('; '));
}

function measured(machine: Machine, seconds: number): string {
  return `${machineSentence(machine)} Measured in ${seconds} s.`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
