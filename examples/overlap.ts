/**
 * What reading ahead is worth: sampling and training of equal cost, three ways, drawn as a Gantt chart.
 *
 *   node dist/examples/overlap.js [--work sleep|real] [overlap.svg]
 *
 * Five sweeps of twenty minibatches. In turn, a run takes the sum of sampling and training; with `prefetch` it takes
 * little more than one of them. By default, drawing a minibatch and learning from it are sleeps of ten milliseconds each;
 * with `--work real` both are computed, which takes two cores.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { prefetch } from '../src/index.js';
import { realWork, sleepingWork, type Work } from './overlap-work.js';

const [numSweeps, numMinibatches] = [5, 20];

/** Something that was done. */
interface Span {
  readonly lane: 'sampling' | 'training';
  readonly sweep: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The parts of a run, which note when they were done. */
interface Run {
  /** Samples all minibatches, one after the other. */
  readonly minibatches: () => AsyncGenerator<Drawn>;
  readonly learn: (drawn: Drawn) => Promise<void>;
}

interface Drawn {
  readonly minibatch: unknown;
  readonly sweep: number;
}

const ways: Readonly<Record<string, (run: Run) => Promise<void>>> = {
  async 'in turn'({ minibatches, learn }) {
    for await (const drawn of minibatches()) await learn(drawn);
  },
  async 'all sampling first'({ minibatches, learn }) {
    const all: Drawn[] = [];
    for await (const drawn of minibatches()) all.push(drawn);
    for (const drawn of all) await learn(drawn);
  },
  async overlapped({ minibatches, learn }) {
    for await (const drawn of prefetch(minibatches())) await learn(drawn);
  },
};

async function measure({ sample, learn }: Work, way: (run: Run) => Promise<void>): Promise<Span[]> {
  const startedAt = performance.now();
  const spans: Span[] = [];
  const noting = async <T>(lane: Span['lane'], sweep: number, work: () => Promise<T>): Promise<T> => {
    const fromMs = performance.now() - startedAt;
    const result = await work();
    spans.push({ lane, sweep, fromMs, toMs: performance.now() - startedAt });
    return result;
  };
  await way({
    async *minibatches() {
      for (let sweep = 1; sweep <= numSweeps; sweep++) {
        for (let number = 0; number < numMinibatches; number++) {
          yield { minibatch: await noting('sampling', sweep, sample), sweep };
        }
      }
    },
    learn: ({ minibatch, sweep }) => noting('training', sweep, () => learn(minibatch)),
  });
  return spans;
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { work: { type: 'string', default: 'sleep' } },
});
const work = options.work === 'real' ? await realWork() : sleepingWork;
const charts: { readonly name: string; readonly spans: readonly Span[] }[] = [];
for (const [name, way] of Object.entries(ways)) {
  const spans = await measure(work, way);
  charts.push({ name, spans });
  const [sampling, training] = (['sampling', 'training'] as const).map((lane) =>
    spans.filter((span) => span.lane === lane).reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0),
  );
  const total = Math.max(...spans.map(({ toMs }) => toMs));
  const ratio = (total / Math.max(sampling, training)).toFixed(2);
  process.stdout.write(
    `${name.padEnd(20)} ${seconds(total)} s, ${ratio} of the longer; sampling ${seconds(sampling)} s, training ${seconds(training)} s\n`,
  );
}
await work.close();
const file = positionals[0] ?? 'overlap.svg';
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
