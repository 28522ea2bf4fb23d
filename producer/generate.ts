import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { defineOptions } from '../src/config/options.js';
import { defineProgram } from '../src/config/program.js';
import { MillraceError, messageOf } from '../src/errors.js';
import { csvHeader, csvLine } from '../src/record/csv-writer.js';
import { textOutput } from '../src/record/text-output.js';
import { collisionEvents, collisionSchema } from '../src/simulation/collision-events.js';

/** Rows of one write. */
const rowsPerWrite = 500;

/** Writes simulated collisions as CSV. */
export const generate = defineProgram({
  name: 'generate',
  summary: 'Write simulated particle collisions as CSV',
  description: [
    'Writes events in the columns of the Higgs Boson Machine Learning Challenge: EventId, thirty features, Weight,',
    'and Label s or b; -999 stands where the physics has no value. The same seed gives the same events.',
  ].join(' '),
  options: defineOptions({
    rows: { type: 'integer', default: 10_000, min: 1, description: 'How many events' },
    seed: {
      type: 'integer',
      default: 1,
      min: -(2 ** 31),
      max: 2 ** 31 - 1,
      description: 'What the events follow from',
    },
    output: { type: 'string', placeholder: 'FILE', description: 'File to write, instead of standard output' },
  }),
  examples: ['millrace generate --rows 100000 --seed 7 --output events.csv'],
  async run({ rows, seed, output }, _files, { stdout, shutdown }) {
    const stream = output === undefined ? stdout : createWriteStream(output);
    const write = textOutput(stream);
    try {
      let isRead = await write(csvHeader(collisionSchema));
      const events = collisionEvents(seed);
      for (let left = rows; left > 0 && isRead && !shutdown.aborted; left -= rowsPerWrite) {
        let lines = '';
        for (let i = Math.min(left, rowsPerWrite); i > 0; i--) {
          lines += csvLine(events.next().value, collisionSchema);
        }
        isRead = await write(lines);
      }
      if (stream !== stdout) await finished(stream.end());
    } catch (error) {
      throw new MillraceError(
        'MILLRACE_FILE_UNUSABLE',
        `${output ?? 'Standard output'} cannot be written: ${messageOf(error)}.`,
        { cause: error },
      );
    }
    return 0;
  },
});
