import { setTimeout as delay } from 'node:timers/promises';
import { serving } from '../delivery/serving-run.js';
import { metricValues } from '../member-sample.js';
import { slope } from '../statistics.js';
import type { StreamSurroundings } from '../surroundings.js';
import { openFeed } from './feed.js';

/** What a member had at one moment. */
export interface MemorySample {
  /** Since it was ready. */
  readonly seconds: number;
  readonly rows: number;
  readonly residentBytes: number;
}

/** How much memory a member took over time. */
export interface MemoryRun {
  /** Rows that waited for it all the time. */
  readonly backlog: number;
  readonly rowsPerSecond: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  /** The straight line through the samples. */
  readonly bytesPerMinute: number;
  readonly samples: readonly MemorySample[];
}

const sampleEveryMs = 1_000;
const forgetEveryMs = 10_000;
/** Before, code is compiled and the heap grows to its working size. */
const warmUp = 0.2;

/** Serves with a backlog that is filled up all the time. */
export async function measureMemory(
  bundle: string,
  { from, backlog, minutes }: { readonly from: string; readonly backlog: number; readonly minutes: number },
  surroundings: StreamSurroundings,
): Promise<MemoryRun> {
  const feed = await openFeed(from, surroundings);
  const done = new AbortController();
  const until = AbortSignal.any([done.signal, surroundings.signal]);
  let answered = 0;
  try {
    await feed.fillUp(() => answered, backlog, until);
    const what = { bundle, topic: feed.topic, delivery: 'exactly-once' } as const;
    const samples = await serving(what, surroundings, async ({ member, group, output }) => {
      const feeding = Promise.all([
        repeat(50, until, () => feed.fillUp(() => answered, backlog, until)),
        repeat(forgetEveryMs, until, () => feed.forget(group, output)),
      ]);
      // Without rows there is nothing more to measure; why that is, is thrown below.
      feeding.catch(() => done.abort());
      try {
        const found: MemorySample[] = [];
        const readyAt = performance.now();
        for (let seconds = 0; seconds < minutes * 60; seconds = (performance.now() - readyAt) / 1000) {
          const values = metricValues(await (await fetch(`${member.url}/metrics`)).text());
          const rows = values.get('millrace_rows_total') ?? 0;
          answered = rows;
          found.push({ seconds, rows, residentBytes: values.get('process_resident_memory_bytes') ?? NaN });
          await delay(sampleEveryMs, undefined, { signal: until });
        }
        return found;
      } finally {
        done.abort();
        await feeding;
      }
    });
    return { backlog, ...summarizeMemory(samples) };
  } finally {
    await feed.close();
  }
}

/** What the samples behind the warm-up say. Throws for fewer than two of them. */
export function summarizeMemory(samples: readonly MemorySample[]): Omit<MemoryRun, 'backlog'> {
  const counted = samples.slice(Math.floor(warmUp * samples.length));
  const [first, last] = [counted[0], counted.at(-1)!];
  const bytes = counted.map(({ residentBytes }) => residentBytes);
  return {
    rowsPerSecond: (last.rows - first.rows) / (last.seconds - first.seconds),
    minBytes: Math.min(...bytes),
    maxBytes: Math.max(...bytes),
    bytesPerMinute: slope(counted.map(({ seconds, residentBytes }) => [seconds / 60, residentBytes])),
    samples,
  };
}

/** Does the work again and again, with a pause behind each time, until the signal aborts. */
async function repeat(pauseMs: number, until: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!until.aborted) {
    await work();
    await delay(pauseMs, undefined, { signal: until }).catch(() => {});
  }
}
