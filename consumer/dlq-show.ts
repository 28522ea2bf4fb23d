import { defineOptions, refuseTogether } from '../src/config/options.js';
import { defineProgram } from '../src/config/program.js';
import { MillraceError } from '../src/errors.js';
import type { Coordinates, DeadLetter } from '../src/dead-letters/dead-letter.js';
import { createLetterFilter, letterFilterOptions } from '../src/dead-letters/letter-filter.js';
import { describeLetter, letterJson } from '../src/dead-letters/letter-text.js';
import { letterTopics, readLetterAt, readLetters } from '../src/dead-letters/read-letters.js';
import { identityOf, marksTopic, readMarks } from '../src/dead-letters/replay-marks.js';
import { textOutput } from '../src/record/text-output.js';
import { connect, connectionOptions, type StreamClient } from '../src/stream/client/connection.js';

/** Shows dead letters whole. */
export const dlqShow = defineProgram({
  name: 'dlq show',
  summary: 'Show dead letters whole: reason, key, value, headers',
  description: `Prints dead letters with all that is known of them. What the data holds cannot drive the terminal: control
characters are written as escapes, and bytes that are no text as hexadecimal numbers. Long values are cut; --json
prints everything, bytes as base64, one letter a line. Nothing is changed, and no group joined.`,
  arguments: [{ name: '<topic>', description: 'Topic of the rows, or its TOPIC.dlq' }],
  options: defineOptions({
    offset: {
      type: 'string',
      placeholder: 'P/O',
      description: 'Only the letter in partition P of the dead-letter topic at offset O',
    },
    json: { type: 'boolean', default: false, description: 'Print JSON' },
    ...letterFilterOptions,
    limit: { ...letterFilterOptions.limit, default: 10 },
    ...connectionOptions,
  }),
  examples: [
    'millrace dlq show observations --offset 0/17',
    'millrace dlq show observations --code UNDECODABLE --since 1d --limit 3',
    'millrace dlq show observations --json --limit 1000 | jq .reason',
  ],
  async run(options, [topic], { stdout, stderr, shutdown: signal, logger }) {
    for (const other of ['code', 'since', 'until'] as const) refuseTogether(options, 'offset', other);
    const { letters } = letterTopics(topic);
    const at = options.offset === undefined ? undefined : parsePlace(letters, options.offset);
    const filter = createLetterFilter(options);
    const client = connect(options, logger);
    const { limit } = options;
    const marks = await readMarks(client, marksTopic(letters), signal);
    const write = textOutput(stdout);
    let count = 0;
    const found =
      at === undefined ? readLetters(client, { topic: letters, filter, limit, signal }) : only(client, at);
    for await (const letter of found) {
      const isReplayed = marks.has(identityOf(letter));
      const text = options.json
        ? `${JSON.stringify(letterJson(letter, isReplayed))}\n`
        : `${count > 0 ? '\n' : ''}${describeLetter(letter, isReplayed)}\n`;
      if (!(await write(text))) return 0;
      count += 1;
    }
    if (count === 0) stderr.write(`No letter of ${letters} is meant by this.\n`);
    if (count === limit) stderr.write(`The first ${limit}; --limit N shows more.\n`);
    return 0;
  },
});

async function* only(client: StreamClient, at: Coordinates): AsyncGenerator<DeadLetter> {
  const letter = await readLetterAt(client, at);
  if (letter === undefined) {
    throw invalid(`${at.topic} has no letter in partition ${at.partition} at offset ${at.offset}.`);
  }
  yield letter;
}

function parsePlace(topic: string, text: string): Coordinates {
  const [, partition, offset] = /^(\d{1,9})\/(\d{1,18})$/.exec(text) ?? [];
  if (partition === undefined)
    throw invalid(`--offset must be PARTITION/OFFSET, such as 0/17, not "${text}".`);
  return { topic, partition: Number(partition), offset: BigInt(offset) };
}

function invalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_CONFIG_INVALID', message);
}
