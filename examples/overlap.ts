/**
 * What reading ahead is worth: sampling and training of equal cost, three ways, drawn as a Gantt chart.
 *
 *   node dist/examples/overlap.js [overlap.svg]
 *
 * Five sweeps of twenty minibatches; drawing a minibatch and learning from it take ten milliseconds each. In turn, a run
 * takes the sum of both; with `prefetch` it takes little more than one of them.
 */
import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { prefetch } from '../src/index.js';

const [numSweeps, numMinibatches, costMs] = [5, 20, 10];

/** Something that was done. */
interface Span {
  readonly lane: 'sampling' | 'training';
  readonly sweep: number;
  readonly fromMs: number;
  readonly toMs: number;
}

async function measure(run: (work: Work) => Promise<void>): Promise<Span[]> {
  const startedAt = performance.now();
  const spans: Span[] = [];
  const spend = async (lane: Span['lane'], sweep: number) => {
    const fromMs = performance.now() - startedAt;
    await delay(costMs);
    spans.push({ lane, sweep, fromMs, toMs: performance.now() - startedAt });
  };
  await run({
    async *minibatches() {
      for (let sweep = 1; sweep <= numSweeps; sweep++) {
        for (let minibatch = 0; minibatch < numMinibatches; minibatch++) {
          await spend('sampling', sweep);
          yield sweep;
        }
      }
    },
    learn: (sweep) => spend('training', sweep),
  });
  return spans;
}

interface Work {
  readonly minibatches: () => AsyncGenerator<number>;
  readonly learn: (sweep: number) => Promise<void>;
}

const ways: Readonly<Record<string, (work: Work) => Promise<void>>> = {
  async 'in turn'({ minibatches, learn }) {
    for await (const minibatch of minibatches()) await learn(minibatch);
  },
  async 'all sampling first'({ minibatches, learn }) {
    const all: number[] = [];
    for await (const minibatch of minibatches()) all.push(minibatch);
    for (const minibatch of all) await learn(minibatch);
  },
  async overlapped({ minibatches, learn }) {
    for await (const minibatch of prefetch(minibatches())) await learn(minibatch);
  },
};

const charts: { readonly name: string; readonly spans: readonly Span[] }[] = [];
for (const [name, run] of Object.entries(ways)) {
  const spans = await measure(run);
  charts.push({ name, spans });
  const [sampling, training] = (['sampling', 'training'] as const).map((lane) =>
    spans.filter((span) => span.lane === lane).reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0),
  );
  const total = Math.max(...spans.map(({ toMs }) => toMs));
  process.stdout.write(
    `${name.padEnd(20)} ${seconds(total)} s; sampling ${seconds(sampling)} s, training ${seconds(training)} s\n`,
  );
}
const file = process.argv[2] ?? 'overlap.svg';
await writeFile(file, gantt(charts));
process.stdout.write(`drawn in ${file}\n`);

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(2);
}

/** Two lanes for each way, on one scale of time. */
function gantt(all: typeof charts): string {
  const [left, top, lane, width] = [150, 30, 22, 700];
  const longest = Math.max(...all.flatMap(({ spans }) => spans.map(({ toMs }) => toMs)));
  const x = (ms: number) => left + (ms / longest) * width;
  const height = top + all.length * (2 * lane + 26) + 20;
  const rows = all.flatMap(({ name, spans }, index) => {
    const y = top + index * (2 * lane + 26);
    const bars = spans.map(({ lane: kind, sweep, fromMs, toMs }) => {
      const fill = kind === 'sampling' ? '#1f6fb2' : '#d9822b';
      const opacity = sweep % 2 === 1 ? 1 : 0.6;
      const place = `x="${x(fromMs).toFixed(1)}" y="${y + (kind === 'sampling' ? 0 : lane)}"`;
      return `<rect ${place} width="${(x(toMs) - x(fromMs)).toFixed(1)}" height="${lane - 4}" fill="${fill}" opacity="${opacity}"><title>${kind}, sweep ${sweep}</title></rect>`;
    });
    const total = Math.max(...spans.map(({ toMs }) => toMs));
    return [
      `<text x="8" y="${y + 14}" font-weight="600">${name}</text>`,
      `<text x="8" y="${y + lane + 12}">${seconds(total)} s</text>`,
      ...bars,
    ];
  });
  const legend =
    '<text x="150" y="18" fill="#1f6fb2">sampling</text><text x="230" y="18" fill="#d9822b">training</text>';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 20} ${height}" font-family="sans-serif" font-size="13">`,
    `<title>Sampling and training, in turn and overlapped</title><rect width="100%" height="100%" fill="#ffffff"/>`,
    ...[legend, ...rows, '</svg>'],
    '',
  ].join('\n');
}
