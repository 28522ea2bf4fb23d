import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { cacheFolder } from '../src/config/cache-folder.js';
import { readEnvironment, type Environment } from '../src/config/environment.js';
import { defineOptions, environmentName, required, type Compiled } from '../src/config/options.js';
import { defineProgram, type ProgramContext } from '../src/config/program.js';
import { ExitCode } from '../src/errors.js';
import { csvOptions } from '../src/record/csv-format.js';
import { schemaOptions } from '../src/record/infer-schema.js';
import { connect, connectionOptions } from '../src/stream/connection.js';
import { deadLetterTopic } from '../src/stream/dead-letter.js';
import { ensureTopics } from '../src/stream/topics.js';
import { computeOptions } from '../src/tensorflow/compute-options.js';
import { Steps } from './bootstrap/steps.mjs';
import { startEmbeddedBroker } from './embedded-broker/embedded-broker.js';
import { prepareBackend } from './native-tensorflow/prepare.js';
import { fileInput, generatedInput } from './start/input.js';
import { startMembers } from './start/members.js';
import { trainOnFile, trainOnGeneratedEvents } from './start/model.js';
import { streamRows } from './start/stream-rows.js';
import { addsUp, renderSummary } from './start/view.js';

const options = defineOptions({
  csv: {
    type: 'string',
    placeholder: 'FILE',
    description: 'Rows to stream; without it, collision events are generated',
    section: 'Rows',
  },
  rows: {
    type: 'integer',
    min: 1,
    description: 'Rows after which to end; without it, the end of --csv or Ctrl-C',
    section: 'Rows',
  },
  rate: {
    type: 'number',
    min: 0,
    default: 2_000,
    placeholder: 'ROWS/S',
    description: 'Rows per second; 0 is as fast as it goes',
    section: 'Rows',
  },
  seed: { type: 'integer', min: 0, default: 2, description: 'Seed of the generated events', section: 'Rows' },
  model: {
    type: 'string',
    placeholder: 'BUNDLE',
    description: 'Model bundle to serve; without it, one is trained',
    section: 'Serving',
  },
  members: {
    type: 'integer',
    min: 1,
    max: 16,
    default: 2,
    description: 'Serving members, each a process',
    section: 'Serving',
  },
  partitions: {
    type: 'integer',
    min: 1,
    max: 1_000,
    default: 4,
    description: 'Partitions of the topics if they are created',
    section: 'Serving',
  },
  topic: {
    type: 'string',
    default: 'observations',
    description: 'Topic that the rows go to',
    section: 'Serving',
  },
  output: {
    type: 'string',
    placeholder: 'TOPIC',
    default: 'predictions',
    description: 'Topic that the predictions go to',
    section: 'Serving',
  },
  group: {
    type: 'string',
    default: 'millrace-start',
    description: 'Consumer group of the members',
    section: 'Serving',
  },
  folder: {
    type: 'string',
    placeholder: 'FOLDER',
    default: '.millrace',
    description: 'Where the model bundle and the logs of the members go',
    section: 'Serving',
  },
  ...schemaOptions,
  ...csvOptions,
  ...computeOptions,
  ...connectionOptions,
  brokers: {
    type: 'list',
    placeholder: 'HOST:PORT,...',
    description: 'A cluster of your own; without it, a broker is started on this machine',
    section: 'Kafka',
  },
});

/** The whole of serving on one machine: broker, topics, model, members, rows, and a view of what happens. */
export const start = defineProgram({
  name: 'start',
  summary: 'Run everything on this machine, with generated events or your CSV file, and watch',
  description:
    'Starts a broker (unless --brokers names one), trains a model (unless --model names one), starts serving members, ' +
    'streams rows, and shows rows in, predictions, latency, lag, accuracy and dead letters. Ctrl-C, the end of the file ' +
    'or --rows ends it: everything in flight is answered, and the counts of the summary add up.',
  options,
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
  compiled: Compiled<typeof options>,
  context: ProgramContext,
  cleanups: (() => Promise<unknown>)[],
): Promise<number> {
  const { topic, output, group, csv } = compiled;
  if (csv !== undefined && compiled.schema === undefined) required(compiled, 'label');
  const folder = resolve(compiled.folder);
  await mkdir(folder, { recursive: true });
  const environment = readEnvironment();
  const cache = cacheFolder(compiled.cache);
  await prepareBackend(compiled.backend, cache, context.stderr);
  const steps = new Steps(context.stderr, 4);

  const brokers = await steps.run('starting Kafka', async () => {
    if (compiled.brokers !== undefined) return compiled.brokers;
    const broker = await startEmbeddedBroker({
      cacheFolder: cache,
      stream: context.stderr,
    });
    cleanups.push(() => broker.stop());
    return broker.brokers;
  });
  if (context.shutdown.aborted) return 0;

  const connection = { ...compiled, brokers };
  const client = connect(connection, context.logger);
  const topics = [topic, output, deadLetterTopic(topic)];
  await steps.run(`creating the topics ${topics.join(', ')}`, () =>
    ensureTopics(
      client,
      topics.map((each) => ({ topic: each, numPartitions: compiled.partitions })),
      { create: true },
    ),
  );

  const input = csv === undefined ? generatedInput(compiled.seed) : await fileInput(csv, compiled);
  const model =
    compiled.model ??
    (await steps.run('training a model', () => {
      const surroundings = { environment, context };
      if (csv === undefined) return trainOnGeneratedEvents(folder, surroundings);
      return trainOnFile(csv, compiled, folder, surroundings);
    }));
  if (context.shutdown.aborted) return 0;

  const members = await steps.run(`starting ${compiled.members} members`, () =>
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
  context.stdout.write(renderSummary(totals, (performance.now() - startedAt) / 1000));
  return addsUp(totals) && failed.length === 0 ? 0 : ExitCode.failed;
}

/** How to reach the brokers, for the environment of the members: a password has no place on a command line. */
function connectionEnvironment(connection: Compiled<typeof connectionOptions>): Environment {
  return Object.fromEntries(
    Object.keys(connectionOptions).map((name) => {
      const value = connection[name as keyof typeof connectionOptions];
      return [environmentName(name), value === undefined ? undefined : String(value)];
    }),
  );
}
