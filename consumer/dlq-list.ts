import { defineOptions } from '../src/config/options.js';
import { defineProgram } from '../src/config/program.js';
import { createLetterFilter, letterFilterOptions } from '../src/dead-letters/letter-filter.js';
import { LetterSummary, describeSummary } from '../src/dead-letters/letter-summary.js';
import { letterTopics, readLetters } from '../src/dead-letters/read-letters.js';
import { identityOf, marksTopic, readMarks } from '../src/dead-letters/replay-marks.js';
import { connect, connectionOptions } from '../src/stream/client/connection.js';

/** Counts the dead letters of a topic by their reason. */
export const dlqList = defineProgram({
  name: 'dlq list',
  summary: 'Count the dead letters of a topic by their reason',
  description: `Reads the dead letters of a topic, and prints for each code how many there are, how many of them were replayed,
the times and partitions of their rows, and the reason of the newest. Nothing is changed, and no group joined.`,
  arguments: [{ name: '<topic>', description: 'Topic of the rows, or its TOPIC.dlq' }],
  options: defineOptions({
    json: { type: 'boolean', default: false, description: 'Print JSON' },
    ...letterFilterOptions,
    ...connectionOptions,
  }),
  examples: [
    'millrace dlq list observations',
    'millrace dlq list observations --since 2h --code FIELD_TYPE,NOT_FINITE',
  ],
  async run(options, [topic], { stdout, shutdown: signal, logger }) {
    const { letters } = letterTopics(topic);
    const filter = createLetterFilter(options);
    const client = connect(options, logger);
    const summary = new LetterSummary();
    const { limit } = options;
    const marks = await readMarks(client, marksTopic(letters), signal);
    for await (const letter of readLetters(client, { topic: letters, filter, limit, signal })) {
      summary.add(letter, marks.has(identityOf(letter)));
    }
    const codes = summary.codes();
    const text = options.json
      ? JSON.stringify({ topic: letters, codes }, undefined, 2)
      : describeSummary(codes, letters);
    stdout.write(`${text}\n`);
    return 0;
  },
});
