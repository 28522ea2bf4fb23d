import { setTimeout as delay } from 'node:timers/promises';
import { sampleBacklog, steadySamples } from '../delivery/full-load.js';
import { serving, type Serving } from '../delivery/serving-run.js';
import type { Workload } from '../delivery/workload.js';
import type { Outcome } from '../benchmark.js';
import { measureRounds, spreadCells } from '../rounds.js';
import { milliseconds } from '../table.js';
import { networks } from './cases.js';
import { quantile } from '../statistics.js';
import type { StreamSurroundings } from '../surroundings.js';

/** How long `/health/live` of a member takes that is at its limit. */
interface HealthTimes {
  readonly numAsked: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const askEveryMs = 20;

/** Asks while a backlog is worked through, and counts what was asked in the steady part. */
async function measureHealthOnce(
  what: Omit<Serving, 'topic'>,
  { topic, numRows }: Workload,
  surroundings: StreamSurroundings,
): Promise<HealthTimes> {
  return serving({ ...what, topic }, surroundings, async ({ member, members }) => {
    const done = new AbortController();
    const asking = askLive(member.url, AbortSignal.any([done.signal, surroundings.signal]));
    try {
      const samples = await sampleBacklog(members, numRows, surroundings);
      done.abort();
      const [first, last] = steadySamples(samples, numRows);
      const times = (await asking)
        .filter(({ atMs }) => atMs >= first.atMs && atMs <= last.atMs)
        .map(({ tookMs }) => tookMs);
      return {
        numAsked: times.length,
        p50Ms: quantile(times, 0.5),
        p99Ms: quantile(times, 0.99),
        maxMs: quantile(times, 1),
      };
    } finally {
      done.abort();
      await asking;
    }
  });
}

/** @returns when each was asked, by performance.now(), and how long the whole answer took */
async function askLive(url: string, until: AbortSignal): Promise<{ atMs: number; tookMs: number }[]> {
  const times: { atMs: number; tookMs: number }[] = [];
  while (!until.aborted) {
    const atMs = performance.now();
    const answer = await fetch(`${url}/health/live`);
    await answer.text();
    times.push({ atMs, tookMs: performance.now() - atMs });
    await delay(askEveryMs, undefined, { signal: until }).catch(() => {});
  }
  return times;
}

/** Health of a member at its limit. @param bundle of the large network */
export async function measureHealth(
  bundle: string,
  workload: Workload,
  repeats: number,
  surroundings: StreamSurroundings,
): Promise<Outcome> {
  const delivery = 'exactly-once';
  const rounds = await measureRounds(repeats, [delivery], () =>
    measureHealthOnce({ bundle, delivery }, workload, surroundings),
  );
  const times = rounds.get(delivery)!;
  const cells = (['p50Ms', 'p99Ms', 'maxMs'] as const).flatMap((part) =>
    spreadCells(
      times.map((each) => each[part]),
      milliseconds,
    ),
  );
  return {
    results: times,
    sections: [
      {
        title: 'Health',
        text: `\`/health/live\` of a member at its limit, asked every ${askEveryMs} ms by a process on the same cores; ${networks.large}.`,
        table: [['p50 ms', '(min-max)', 'p99 ms', '(min-max)', 'max ms', '(min-max)'], cells],
      },
    ],
  };
}
