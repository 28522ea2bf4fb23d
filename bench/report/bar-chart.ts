import type { Spread } from '../statistics.js';

/** What a bar stands for; it decides its colour. */
export type BarKind = 'millrace' | 'variant' | 'peer' | 'limit';

export interface Bar {
  readonly label: string;
  readonly kind: BarKind;
  /** The bar is as long as the median; a line shows the ends. */
  readonly spread: Spread;
}

/** Horizontal bars on one scale from zero. */
export interface BarChart {
  readonly title: string;
  /** Such as `rows/s`. */
  readonly unit: string;
  /** A group without a label has no heading. */
  readonly groups: readonly { readonly label: string; readonly bars: readonly Bar[] }[];
}

const width = 960;
const margin = 24;
/** Where bars begin, and how long the longest may be: behind it, there is room for its figure. */
const barLeft = 230;
const barSpace = 580;
const [titleHeight, groupHeight, barHeight, barGap, axisHeight, chartGap] = [34, 26, 18, 6, 24, 22];

/** Readable on light and on dark pages: it brings its own ground, and follows what the reader prefers. */
const style = `
  svg { --ground: #ffffff; --ink: #1f2933; --quiet: #52606d; --grid: #dde3ea;
    --millrace: #1f6fb2; --variant: #8dbbe0; --peer: #d9822b; --limit: #9aa5b1 }
  @media (prefers-color-scheme: dark) {
    svg { --ground: #12181f; --ink: #e6ebf0; --quiet: #a3b1bf; --grid: #2c3742;
      --millrace: #4c9fe0; --variant: #2f5f8a; --peer: #e59a4f; --limit: #66727f }
  }
  .ground { fill: #ffffff; fill: var(--ground) }
  text { fill: #1f2933; fill: var(--ink); font-size: 13px }
  .title { font-size: 16px; font-weight: 600 } .group { font-weight: 600 }
  .quiet { fill: #52606d; fill: var(--quiet); font-size: 12px }
  .grid { stroke: #dde3ea; stroke: var(--grid) }
  .whisker { stroke: #1f2933; stroke: var(--ink); stroke-width: 1.4 }
  .millrace { fill: #1f6fb2; fill: var(--millrace) } .variant { fill: #8dbbe0; fill: var(--variant) }
  .peer { fill: #d9822b; fill: var(--peer) } .limit { fill: #9aa5b1; fill: var(--limit) }
`;

/**
 * Draws charts below each other as one SVG.
 *
 * @param description what a reader is told who cannot see it
 */
export function drawCharts(charts: readonly BarChart[], description: string): string {
  let y = margin;
  const drawn = charts.map((chart) => {
    const part = `<g transform="translate(0 ${y})">\n${drawChart(chart)}\n</g>`;
    y += heightOf(chart) + chartGap;
    return part;
  });
  const height = y - chartGap + margin;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, -apple-system, 'Segoe UI', sans-serif" role="img" aria-labelledby="description">
<title id="description">${escape(description)}</title>
<style>${style}</style>
<rect class="ground" width="${width}" height="${height}" rx="10"/>
${drawn.join('\n')}
</svg>
`;
}

function drawChart({ title, unit, groups }: BarChart): string {
  const longest = Math.max(0, ...groups.flatMap(({ bars }) => bars.map(({ spread }) => spread.max)));
  const step = tickStep(longest);
  const end = Math.max(step, Math.ceil(longest / step - 1e-9) * step);
  const place = (value: number) => round(barLeft + (value / end) * barSpace);
  const bottom = heightOf({ title, unit, groups }) - axisHeight;
  const lines = [`<text class="title" x="${margin}" y="16">${escape(title)}</text>`];
  for (let tick = 0; tick <= end + step / 2; tick += step) {
    const x = place(tick);
    lines.push(
      `<line class="grid" x1="${x}" y1="${titleHeight}" x2="${x}" y2="${bottom}"/>`,
      `<text class="quiet" x="${x}" y="${bottom + 16}" text-anchor="middle">${figure(tick)}</text>`,
    );
  }
  lines.push(
    `<text class="quiet" x="${barLeft - 10}" y="${bottom + 16}" text-anchor="end">${escape(unit)}</text>`,
  );
  let y = titleHeight;
  for (const { label, bars } of groups) {
    if (label !== '') {
      lines.push(`<text class="group" x="${margin}" y="${y + 17}">${escape(label)}</text>`);
      y += groupHeight;
    }
    for (const bar of bars) {
      lines.push(drawBar(bar, y, place));
      y += barHeight + barGap;
    }
  }
  return lines.join('\n');
}

function drawBar({ label, kind, spread }: Bar, y: number, place: (value: number) => number): string {
  const [from, to, middle] = [place(spread.min), place(spread.max), y + barHeight / 2];
  const text = middle + 4.5;
  return [
    `<text x="${barLeft - 10}" y="${text}" text-anchor="end">${escape(label)}</text>`,
    `<rect class="${kind}" x="${barLeft}" y="${y}" width="${round(place(spread.median) - barLeft)}" height="${barHeight}" rx="2"/>`,
    `<path class="whisker" fill="none" d="M${from} ${middle - 4}v8M${from} ${middle}H${to}M${to} ${middle - 4}v8"/>`,
    `<text x="${to + 8}" y="${text}">${figure(spread.median)}</text>`,
  ].join('\n');
}

function heightOf({ groups }: BarChart): number {
  const bars = groups.map(
    (group) => (group.label === '' ? 0 : groupHeight) + group.bars.length * (barHeight + barGap),
  );
  return titleHeight + bars.reduce((sum, height) => sum + height, 0) + axisHeight;
}

/** What is smaller than this is nothing, in whatever unit. */
const smallest = 1e-9;

/** A step of 1, 2 or 5 times a power of ten that makes between three and seven ticks. */
function tickStep(longest: number): number {
  if (longest < smallest) return 1;
  const power = 10 ** Math.floor(Math.log10(longest / 3));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => longest / step <= 7)!;
}

/** Three digits that count, and no more. */
function figure(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
