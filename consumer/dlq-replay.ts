import { defineOptions } from '../src/config/options.js';
import { defineProgram } from '../src/config/program.js';
import { createLetterFilter, letterFilterOptions } from '../src/dead-letters/letter-filter.js';
import { letterTopics, readLetters } from '../src/dead-letters/read-letters.js';
import { describeReplay, numLeft, replayLetters } from '../src/dead-letters/replay.js';
import { ensureMarksTopic, marksTopic, readMarks } from '../src/dead-letters/replay-marks.js';
import { describeRowTopic } from '../src/dead-letters/row-topic.js';
import { ExitCode } from '../src/errors.js';
import { connect, connectionOptions } from '../src/stream/client/connection.js';
import { compressions } from '../src/stream/publisher/produce-request.js';
import { createTransactionalPublisher } from '../src/stream/publisher/transactional-publisher.js';
import { ensureTopics } from '../src/stream/topics/topics.js';
import { createProgress } from '../src/telemetry/progress.js';

const replayOptions = defineOptions({
  dryRun: { type: 'boolean', default: false, description: 'Say what would be done, and write nothing' },
  maxReplays: {
    type: 'integer',
    default: 3,
    min: 1,
    description: 'Leave letters whose row was replayed that often',
  },
  again: {
    type: 'boolean',
    default: false,
    description: 'Replay also what an earlier run has replayed',
  },
  compression: {
    type: 'string',
    choices: compressions,
    default: 'none',
    description: 'Compression of what is written',
  },
  ...letterFilterOptions,
  limit: { ...letterFilterOptions.limit, description: 'End after that many rows were written' },
  ...connectionOptions,
});

/** Writes the rows of dead letters back to their topic. */
export const dlqReplay = defineProgram({
  name: 'dlq replay',
  summary: 'Write the rows of dead letters back to their topic',
  description: `Writes the rows of dead letters back to the topic they came from, as they were, with a header
millrace.replay.count. Each letter is replayed once: rows are marked in TOPIC.dlq.replayed in the transaction that
writes them, so that a run that was killed is gone on with by starting it again, and filters may come in any order.

Letters that do not hold a row of the topic are counted and left, and the exit code is then 3.`,
  arguments: [{ name: '<topic>', description: 'Topic of the rows, or its TOPIC.dlq' }],
  options: replayOptions,
  examples: [
    'millrace dlq replay observations --code LABEL_UNKNOWN --since 1d --dry-run',
    'millrace dlq replay observations --limit 100',
  ],
  async run(options, [named], { stdout, stderr, shutdown: signal, logger }) {
    const topics = letterTopics(named);
    const filter = createLetterFilter(options);
    const client = connect(options, logger);
    await ensureTopics(client, [{ topic: topics.rows }, { topic: topics.letters }], { create: false });
    const to = await describeRowTopic(client, topics.rows);
    const marks = marksTopic(topics.letters);
    const publisher = createTransactionalPublisher(client, {
      transactionalId: `millrace-dlq-replay/${topics.letters}`,
      compression: options.compression,
      maxBatchBytes: () => to.maxRecordBytes,
    });
    const progress = createProgress(stderr, { unit: 'rows', total: options.limit });
    try {
      if (!options.dryRun) {
        await ensureMarksTopic(client, marks);
        // Before the marks are read: another run can write nothing from now on, and what it wrote is marked.
        await publisher.open();
      }
      const counts = await replayLetters({
        letters: readLetters(client, { topic: topics.letters, filter, signal }),
        to,
        marks: { topic: marks, identities: await identities() },
        maxReplays: options.maxReplays,
        limit: options.limit ?? Infinity,
        write: (records) => (options.dryRun ? Promise.resolve() : publisher.write({ records })),
        onProgress: ({ replayed }) => progress.update(replayed),
        signal,
      });
      progress.end(signal.aborted ? 'Stopped before the end: start it again to go on.' : undefined);
      stdout.write(`${describeReplay(counts, topics.rows, options.dryRun)}\n`);
      return numLeft(counts) > 0 ? ExitCode.rowsRejected : 0;
    } catch (error) {
      progress.end('Not finished: start it again to go on; no row is written twice.');
      throw error;
    } finally {
      await publisher.close();
    }

    async function identities(): Promise<ReadonlySet<string>> {
      return options.again ? new Set() : readMarks(client, marks, signal);
    }
  },
});
