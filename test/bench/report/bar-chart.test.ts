import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { drawCharts, type BarChart } from '../../../bench/report/bar-chart.js';
import { performanceImage } from '../../../bench/report/report.js';
import { fixedFailure, fixedReport } from './fixed-reports.js';

/** Whether every tag is closed, in order, and no text has a bare `<` or `&`: as far as an SVG of ours can go wrong. */
function isWellFormed(xml: string): boolean {
  const open: string[] = [];
  const rest = xml.replace(
    /<(\/?)([a-z]+)((?: [\w-]+="[^"<]*")*)(\/?)>/gi,
    (_, end, name: string, _attributes, empty) => {
      if (end) return open.pop() === name ? '' : '<';
      if (!empty) open.push(name);
      return '';
    },
  );
  return open.length === 0 && !/[<>]|&(?!amp;|lt;|gt;)/.test(rest);
}

const bars = (svg: string) => [
  ...svg.matchAll(/<rect class="(millrace|variant|peer|limit)"[^>]* width="([\d.]+)"/g),
];

function oneBar(median: number, min: number, max: number): BarChart {
  return {
    title: 'One',
    unit: 'ms',
    groups: [{ label: 'group', bars: [{ label: 'bar', kind: 'peer', spread: { median, min, max } }] }],
  };
}

describe('the bar chart', () => {
  it('has every bar of every report, with its label and its figure', () => {
    const svg = performanceImage([fixedReport, fixedFailure]);
    assert.deepEqual(
      bars(svg).map(([, kind]) => kind),
      ['millrace', 'variant', 'peer', 'limit', 'millrace', 'peer', 'millrace'],
    );
    for (const text of [
      'exactly once',
      'the model alone',
      '41,000',
      '23,000',
      'Serving &lt;JSON&gt; &amp; Avro',
    ]) {
      assert.ok(svg.includes(`>${text}</text>`), text);
    }
  });

  it('draws bars of one chart on one scale from zero', () => {
    const [first, , third] = bars(performanceImage([fixedReport])).map(([, , width]) => Number(width));
    assert.ok(Math.abs(first / third - 41 / 23) < 0.01, `${first} to ${third}`);
  });

  it('is well-formed and stays within the picture, whatever the figures and the labels are', () => {
    assert.ok(isWellFormed(performanceImage([fixedReport])));
    const value = fc.double({ min: 0, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(fc.tuple(value, value, value), fc.string(), (values, label) => {
        const [min, median, max] = values.toSorted((a, b) => a - b);
        const chart = oneBar(median, min, max);
        const svg = drawCharts([{ ...chart, title: label }], label);
        const [[, , width]] = bars(svg);
        return isWellFormed(svg) && Number(width) >= 0 && Number(width) <= 580;
      }),
      { examples: [[[5e-324, 5e-324, 5e-324], '']] },
    );
  });

  it('is well-formed without a chart', () => {
    assert.ok(isWellFormed(performanceImage([fixedFailure])));
  });
});
