import type { Observation } from '../../src/record/observation.js';
import type { Encoder } from '../../src/record/codec.js';
import type { Headers } from '../../src/stream/headers.js';
import { headerText } from '../../src/stream/headers.js';
import type { OutgoingRecord } from '../../src/stream/publisher/produce-request.js';
import { RecordTooLargeError, type Publisher } from '../../src/stream/publisher/publisher.js';
import type { Tally } from './tally.js';

/** Names the run and the row in it; an answer carries the headers of its input, and so finds back to its row. */
const runHeader = 'millrace.start.run';
const rowHeader = 'millrace.start.row';

/** The number of the row of this run that a record answers; undefined for an answer to something else. */
export function rowOfAnswer(headers: Headers, run: string): string | undefined {
  return headerText(headers, runHeader) === run ? headerText(headers, rowHeader) : undefined;
}

export interface RowBook {
  /** Encodes rows, and remembers their labels until they are sent. */
  encoder(encoder: Encoder): Encoder;
  /** The known answer of a row that is to be encoded next. */
  knows(row: Observation, label: string): void;
  /** Sends what was encoded, in the same order. */
  publisher(publisher: Sender): Sender;
  /** Sends records that no encoder made, such as rejected rows. */
  rejects(publisher: Sender): Sender;
}
type Sender = Pick<Publisher, 'send'>;

/**
 * Enters every row of a run into the tally before it is sent, whichever way it goes, and marks its record.
 *
 * @param damagedOneIn of so many values one is cut in half, as faulty clients do
 */
export function openRowBook(options: {
  readonly run: string;
  readonly tally: Tally;
  readonly damagedOneIn: number | undefined;
  readonly now: () => number;
}): RowBook {
  const { run, tally, damagedOneIn = Infinity, now } = options;
  const labels = new WeakMap<Observation, string>();
  const encoded: (string | undefined)[] = [];
  let numRows = 0;

  const bookedSender = (publisher: Sender, nextLabel: () => string | undefined): Sender => ({
    send: async (records) => {
      const sentAtMs = now();
      const rows = records.map(() => String(numRows++));
      for (const row of rows) tally.sent(row, nextLabel(), sentAtMs);
      try {
        await publisher.send(
          records.map((record, index): OutgoingRecord => {
            return { ...record, headers: { ...record.headers, [runHeader]: run, [rowHeader]: rows[index] } };
          }),
        );
      } catch (error) {
        // These were not written; whoever sent them deals with them, and books them anew.
        if (error instanceof RecordTooLargeError)
          for (const index of error.indices) tally.withdrawn(rows[index]);
        throw error;
      }
    },
  });

  let numEncoded = 0;
  return {
    encoder: (encoder) => ({
      format: encoder.format,
      encode: (row) => {
        const value = encoder.encode(row);
        encoded.push(labels.get(row));
        return ++numEncoded % damagedOneIn === 0 ? value.subarray(0, value.length >> 1) : value;
      },
    }),
    knows: (row, label) => void labels.set(row, label),
    publisher: (publisher) => bookedSender(publisher, () => encoded.shift()),
    rejects: (publisher) => bookedSender(publisher, () => undefined),
  };
}
