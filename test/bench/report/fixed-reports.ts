import type { Failure, Report } from '../../../bench/report/report.js';

export const machine = {
  numCores: 2,
  processor: 'A processor',
  system: 'Linux 6.1',
  node: '20.19.0',
  tensorflow: '2.12.1',
  kafka: '4.1.1',
  loadAverage: 0.31,
};

const spread = (median: number) => ({ median, min: 0.9 * median, max: 1.2 * median });

export const fixedReport: Report = {
  benchmark: 'serve',
  summary: 'rows per second',
  machine,
  date: '2026-11-21',
  seconds: 12,
  sections: [
    {
      title: 'Full load',
      text: 'One member.',
      table: [
        ['network', 'rows/s'],
        ['30-64-2', '12,345'],
      ],
      chart: {
        title: 'Serving <JSON> & Avro',
        unit: 'rows/s',
        groups: [
          {
            label: '30-500-1000-500-2, JSON',
            bars: [
              { label: 'exactly once', kind: 'millrace', spread: spread(41_000) },
              { label: 'at least once', kind: 'variant', spread: spread(43_000) },
              { label: 'Python', kind: 'peer', spread: spread(23_000) },
              { label: 'the model alone', kind: 'limit', spread: spread(70_000) },
            ],
          },
          {
            label: '30-64-2, JSON',
            bars: [
              { label: 'exactly once', kind: 'millrace', spread: spread(60_000) },
              { label: 'Python', kind: 'peer', spread: spread(30_000) },
            ],
          },
        ],
      },
    },
    {
      title: 'Health',
      chart: {
        title: 'Health',
        unit: 'ms',
        groups: [{ label: '', bars: [{ label: 'p99', kind: 'millrace', spread: spread(0.032) }] }],
      },
    },
  ],
};

export const fixedFailure: Failure = {
  benchmark: 'memory',
  summary: 'memory over time',
  reason: 'The disk is full.',
};
