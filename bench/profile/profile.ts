import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../src/config/package-root.js';
import { MillraceError } from '../../src/errors.js';
import type { Section } from '../benchmark.js';
import { sampleBacklog } from '../delivery/full-load.js';
import { serving } from '../delivery/serving-run.js';
import type { Workload } from '../delivery/workload.js';
import type { StreamSurroundings } from '../surroundings.js';
import { summarizeProfile, type CpuProfile, type ThreadTime } from './summary.js';

const [begin, end] = ['begin', 'end'];
const steadyPart = { from: 0.1, to: 0.9 };
const timeoutMs = 30_000;
const shownModules = 20;

/**
 * Serves a backlog exactly once while every thread of the member is profiled, keeps the profiles as `THREAD.cpuprofile`
 * (for the performance tools of a browser) and sums them up, by thread.
 */
export async function measureProfile(
  bundle: string,
  { topic, numRows }: Workload,
  folder: string,
  surroundings: StreamSurroundings,
): Promise<Record<string, ThreadTime>> {
  const place = resolve(folder);
  mkdirSync(place, { recursive: true });
  for (const name of readdirSync(place)) if (isOurs(name)) rmSync(join(place, name));
  const preload = pathToFileURL(join(packageRoot, 'dist', 'bench', 'profile', 'preload.js')).href;
  const environment = {
    NODE_OPTIONS: `${surroundings.environment['NODE_OPTIONS'] ?? ''} --import=${preload}`.trim(),
    MILLRACE_PROFILE_FOLDER: place,
  };
  await serving(
    { bundle, topic, delivery: 'exactly-once', environment },
    surroundings,
    async ({ members }) => {
      await sampleBacklog(members, numRows, surroundings, ({ rows }) => {
        if (rows >= steadyPart.from * numRows) mark(join(place, begin));
        if (rows >= steadyPart.to * numRows) mark(join(place, end));
      });
      await allWritten(place, surroundings.signal);
    },
  );
  const files = readdirSync(place).filter((name) => name.endsWith('.cpuprofile'));
  const threads = files.sort().map((name): [string, ThreadTime] => {
    const profile = JSON.parse(readFileSync(join(place, name), 'utf8')) as CpuProfile;
    return [name.replace('.cpuprofile', ''), summarizeProfile(profile)];
  });
  for (const name of readdirSync(place)) {
    if (isOurs(name) && !name.endsWith('.cpuprofile')) rmSync(join(place, name));
  }
  return Object.fromEntries(threads);
}

/** Where the time of each thread went, as tables. */
export function profileSections(threads: Readonly<Record<string, ThreadTime>>): Section[] {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  return Object.entries(threads).flatMap(([thread, { busyShare, stages, modules }]) => [
    {
      title: `Profile of the thread ${thread}: stages`,
      text: `Busy for ${percent(busyShare)} of the time; shares of that. The threads of TensorFlow itself are not seen.`,
      table: [['stage', 'share'], ...stages.map(([name, share]) => [name, percent(share)])],
    },
    {
      title: `Profile of the thread ${thread}: files`,
      text: 'What Node.js and its built-in functions do counts for the file that called them.',
      table: [
        ['file', 'share'],
        ...modules.slice(0, shownModules).map(([name, share]) => [name, percent(share)]),
      ],
    },
  ]);
}

function isOurs(name: string): boolean {
  return name === begin || name === end || /\.(begun|partial|cpuprofile)$/.test(name);
}

function mark(file: string): void {
  if (!existsSync(file)) writeFileSync(file, '');
}

/** Waits until every thread that has begun a profile has written it. */
async function allWritten(folder: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const names = readdirSync(folder);
    const begun = names.filter((name) => name.endsWith('.begun'));
    const written = new Set(names.filter((name) => name.endsWith('.cpuprofile')));
    if (begun.length > 0 && begun.every((name) => written.has(name.replace('.begun', '.cpuprofile')))) return;
    if (performance.now() > deadline) {
      throw new MillraceError(
        'MILLRACE_CONFIG_INVALID',
        'The member was not profiled in time; give more --rows.',
      );
    }
    await delay(100, undefined, { signal });
  }
}
