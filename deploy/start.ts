import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { stripVTControlCharacters } from 'node:util';
import { cacheFolder } from '../src/config/cache-folder.js';
import { readEnvironment, type Environment } from '../src/config/environment.js';
import { environmentName, required, type Compiled } from '../src/config/options.js';
import { defineProgram, type ProgramContext } from '../src/config/program.js';
import { ExitCode } from '../src/errors.js';
import { connect, connectionOptions } from '../src/stream/client/connection.js';
import { deadLetterTopic } from '../src/stream/dead-letter.js';
import { ensureTopics } from '../src/stream/topics/topics.js';
import { Steps } from './bootstrap/steps.mjs';
import { prepareEngine } from './embedded-broker/broker-engine.js';
import { startEmbeddedBroker, type EmbeddedBroker } from './embedded-broker/embedded-broker.js';
import { prepareBackend } from './native-tensorflow/prepare.js';
import { fileInput, generatedInput } from './start/input.js';
import { startMembers } from './start/members.js';
import { trainOnFile, trainOnGeneratedEvents, type Surroundings } from './start/model.js';
import { startOptions } from './start/start-options.js';
import { streamRows } from './start/stream-rows.js';
import { addsUp, renderSummary } from './start/view.js';

/** The whole of serving on one machine: broker, topics, model, members, rows, and a view of what happens. */
export const start = defineProgram({
  name: 'start',
  summary: 'Run everything on this machine, with generated events or your CSV file, and watch',
  description:
    'Starts a broker (unless --brokers names one), trains a model (unless --model names one), starts serving members, ' +
    'streams rows, and shows rows in, predictions, latency, lag, accuracy and dead letters. Ctrl-C, the end of the file ' +
    'or --rows ends it: everything in flight is answered, and the counts of the summary add up.',
  options: startOptions,
  examples: ['millrace start --rows 100000', 'millrace start --csv events.csv --label Label --drop Weight'],
  async run(compiled, _args, context) {
    const cleanups: (() => Promise<unknown>)[] = [];
    try {
      return await runEverything(compiled, context, cleanups);
    } finally {
      for (const cleanup of cleanups.reverse()) await cleanup();
    }
  },
});

async function runEverything(
  compiled: Compiled<typeof startOptions>,
  context: ProgramContext,
  cleanups: (() => Promise<unknown>)[],
): Promise<number> {
  const { topic, output, group, csv } = compiled;
  const { shutdown, stderr } = context;
  if (csv !== undefined && compiled.schema === undefined) required(compiled, 'label');
  const input = csv === undefined ? generatedInput(compiled.seed) : await fileInput(csv, compiled);
  const { folder } = compiled;
  await mkdir(folder, { recursive: true });
  const cache = cacheFolder(compiled.cache);
  // Training and members take what was found here, and need not warn about it again.
  const environment = {
    ...readEnvironment(),
    MILLRACE_BACKEND: await prepareBackend(compiled.backend, cache, stderr),
    MILLRACE_CACHE: cache,
  };
  if (shutdown.aborted) return endedEarly(stderr);

  const openTopics = async (brokers: readonly string[]) => {
    const connection = { ...compiled, brokers };
    const client = connect(connection, context.logger);
    const topics = [topic, output, deadLetterTopic(topic)];
    await ensureTopics(
      client,
      topics.map((each) => ({ topic: each, numPartitions: compiled.partitions })),
      { create: true },
    );
    return { brokers, connection, client };
  };
  // A cluster that is not there is worth knowing before a model is trained. A broker of our own starts meanwhile.
  const cluster = compiled.brokers === undefined ? undefined : await openTopics(compiled.brokers);
  const broker = cluster === undefined ? await launchBroker(cache, stderr, cleanups) : undefined;
  const model = compiled.model ?? (await trainModel(compiled, folder, { environment, context }));
  if (shutdown.aborted) return endedEarly(stderr);
  const { brokers, connection, client } =
    cluster ??
    (await new Steps(stderr, 1).run('starting Kafka', async () => openTopics((await broker!.ready).brokers)));
  if (shutdown.aborted) return endedEarly(stderr);

  const members = await new Steps(stderr, 1).run(`starting ${compiled.members} members`, () =>
    startMembers(
      compiled.members,
      ['--model', model, '--topic', topic, '--output', output, '--group', group],
      { logFolder: folder, environment: { ...environment, ...connectionEnvironment(connection) } },
    ),
  );
  let stopped: Promise<readonly { name: string; logFile: string }[]> | undefined;
  const stopMembers = () => (stopped ??= members.stop());
  cleanups.push(stopMembers);

  const startedAt = performance.now();
  const totals = await streamRows({
    ...compiled,
    ...{ run: randomUUID(), client, input, members, context },
    title: { model, brokers, source: csv ?? 'generated collision events' },
  });
  const failed = await stopMembers();
  for (const { name, logFile } of failed)
    context.stderr.write(`millrace: ${name} did not end well; see ${logFile}\n`);
  const summary = renderSummary(totals, (performance.now() - startedAt) / 1000);
  // Colours are for terminals; the library that makes them takes a CI system for one.
  context.stdout.write(context.stdout.isTTY ? summary : stripVTControlCharacters(summary));
  return addsUp(totals) && failed.length === 0 ? 0 : ExitCode.failed;
}

/** Fetches Kafka if need be, and begins to start a broker; the promise inside is of one that serves. */
async function launchBroker(
  cache: string,
  stderr: NodeJS.WriteStream,
  cleanups: (() => Promise<unknown>)[],
): Promise<{ ready: Promise<EmbeddedBroker> }> {
  const engine = await prepareEngine(cache, stderr);
  const ready = startEmbeddedBroker({ cacheFolder: cache, engine });
  // Whoever waits for something else at that moment looks at it later.
  ready.catch(() => {});
  cleanups.push(async () => (await ready.catch(() => undefined))?.stop());
  return { ready };
}

/** It was asked to end while it was being set up. */
function endedEarly(stderr: NodeJS.WriteStream): number {
  stderr.write('millrace: ended before any row was streamed\n');
  return 0;
}

/** Trains on generated events or on a part of the file; returns the folder of the bundle. */
function trainModel(
  compiled: Compiled<typeof startOptions>,
  folder: string,
  surroundings: Surroundings,
): Promise<string> {
  const { csv } = compiled;
  surroundings.context.stderr.write(
    `millrace: training a model on ${csv === undefined ? 'generated events' : `part of ${csv}`} …\n`,
  );
  if (csv === undefined) return trainOnGeneratedEvents(folder, surroundings);
  return trainOnFile(csv, compiled, folder, surroundings);
}

/** How to reach the brokers, for the environment of the members: a password has no place on a command line. */
function connectionEnvironment(connection: Compiled<typeof connectionOptions>): Environment {
  return Object.fromEntries(
    Object.keys(connectionOptions).flatMap((name) => {
      const value = connection[name as keyof typeof connectionOptions];
      const variable = environmentName(name);
      // A file that named a secret was read; given both ways, the member would refuse it.
      return [
        [variable, value === undefined ? undefined : String(value)],
        [`${variable}_FILE`, undefined],
      ];
    }),
  );
}
