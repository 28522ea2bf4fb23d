import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { packageRoot } from '../../src/config/package-root.js';
import { nativeTensorFlowFolder } from '../../src/tensorflow/native-location.js';
import { runCommand } from '../../deploy/bootstrap/command.mjs';
import { startMember } from '../../deploy/start/member.js';
import { finders } from '../../deploy/tools.js';
import type { Workload } from '../delivery/workload.js';
import type { Outcome } from '../benchmark.js';
import { measureRounds, spreadCells } from '../rounds.js';
import { deleteTopic } from '../delivery/serving-run.js';
import { sampleMember } from '../member-sample.js';
import { peersFolder } from '../peers/python.js';
import type { StreamSurroundings } from '../surroundings.js';

/** From the start of the process. */
interface StartUp {
  /** Until it says that it is ready. */
  readonly readySeconds: number;
  /** Until the first answers are acknowledged. */
  readonly firstAnswerSeconds: number;
}

const pollMs = 20;

/** Starts a member on a topic that has rows. */
async function measureStartUp(
  bundle: string,
  topic: string,
  surroundings: StreamSurroundings,
): Promise<StartUp> {
  const { folder, environment, uniqueName, signal } = surroundings;
  const name = uniqueName('start');
  const output = `${name}-predictions`;
  const startedAt = performance.now();
  const member = await startMember(
    name,
    ['--model', bundle, '--topic', topic, '--output', output, '--group', name],
    { logFolder: folder, environment },
  );
  try {
    await member.ready();
    const readySeconds = (performance.now() - startedAt) / 1000;
    while ((await sampleMember(member.url, signal)).rows === 0) await delay(pollMs, undefined, { signal });
    return { readySeconds, firstAnswerSeconds: (performance.now() - startedAt) / 1000 };
  } finally {
    await member.stop();
    await deleteTopic(output, surroundings);
  }
}

/**
 * Takes what a member reads at its start out of the page cache: TensorFlow, the packages, our own code and the bundle.
 * Returns why that is not possible, where it is not.
 */
async function forgetFiles(bundle: string, { cache }: StreamSurroundings): Promise<string | undefined> {
  const python = await finders.python();
  if (process.platform !== 'linux' || python === undefined) return 'it needs Linux and Python 3';
  const folders = [nativeTensorFlowFolder(cache), join(packageRoot, 'node_modules'), bundle];
  const ours = join(packageRoot, 'dist');
  await runCommand(python.command, [join(peersFolder, 'evict.py'), ...folders, ours]);
  return undefined;
}

/** Starts members again and again, on files that were just read and on files that were not. */
export async function measureStartUps(
  bundle: string,
  { topic }: Workload,
  repeats: number,
  surroundings: StreamSurroundings,
): Promise<Outcome> {
  const withoutCold = await forgetFiles(bundle, surroundings);
  const names = withoutCold === undefined ? ['warm', 'cold'] : ['warm'];
  // The first start makes everything warm that was not.
  await measureStartUp(bundle, topic, surroundings);
  const rounds = await measureRounds(repeats, names, async (name) => {
    if (name === 'cold') await forgetFiles(bundle, surroundings);
    return measureStartUp(bundle, topic, surroundings);
  });
  const seconds = (value: number) => value.toFixed(2);
  return {
    results: Object.fromEntries(rounds),
    sections: [
      {
        title: 'Start-up',
        text: `Of a member, from the start of the process until it is ready, and until its first answers are acknowledged. Cold: the
files of TensorFlow, of the packages, of Millrace and of the bundle were taken out of the page cache, as far as no other process
had them mapped${withoutCold === undefined ? '' : `; not measured: ${withoutCold}`}.`,
        table: [
          ['', 'ready, s', '(min-max)', 'first answers, s', '(min-max)'],
          ...[...rounds].map(([name, each]) => [
            name,
            ...spreadCells(
              each.map(({ readySeconds }) => readySeconds),
              seconds,
            ),
            ...spreadCells(
              each.map(({ firstAnswerSeconds }) => firstAnswerSeconds),
              seconds,
            ),
          ]),
        ],
      },
    ],
  };
}
