import { open, type FileHandle } from 'node:fs/promises';
import { MillraceError, messageOf } from '../errors.js';
import type { RowReject } from '../record/csv-source.js';
import { deadLetterRecord, withoutContent } from './dead-letter.js';
import type { OutgoingRecord } from './produce-request.js';
import { RecordTooLargeError, type Publisher } from './publisher.js';

/** Where rows go that could not be used, whole. */
export interface RejectSink {
  /** Takes a row; it is kept safe when `flush` has resolved. */
  write(reject: RowReject): Promise<void>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Writes rejected rows to a file as they stood, under the header, so that the file can be mended and produced. The
 * file is made (or emptied) with the first row. Throws MILLRACE_FILE_UNUSABLE.
 */
export function createRejectFile(path: string, header: Buffer | undefined): RejectSink {
  let file: FileHandle | undefined;
  async function append(line: Buffer): Promise<void> {
    try {
      file ??= await open(path, 'w');
      await file.write(Buffer.concat([line, Buffer.from('\n')]));
    } catch (error) {
      throw new MillraceError(
        'MILLRACE_FILE_UNUSABLE',
        `${path} of --rejects cannot be written: ${messageOf(error)}.`,
        { cause: error },
      );
    }
  }
  return {
    async write(reject) {
      if (file === undefined && header !== undefined) await append(header);
      await append(reject.raw);
    },
    flush: () => Promise.resolve(),
    async close() {
      await file?.close();
    },
  };
}

const maxWaiting = 500;

/** Writes rejected rows to a dead-letter topic, with file, line and reason in their headers. Throws as `send` does. */
export function createDeadLetterSink(topic: string, publisher: Pick<Publisher, 'send'>): RejectSink {
  let waiting: OutgoingRecord[] = [];
  const sink: RejectSink = {
    async write({ file, line, raw, fault }) {
      waiting.push(deadLetterRecord(topic, { key: null, value: raw, file, line }, fault, 'millrace produce'));
      if (waiting.length >= maxWaiting) await sink.flush();
    },
    async flush() {
      const letters = waiting;
      waiting = [];
      await sendDeadLetters(letters, publisher);
    },
    close: () => Promise.resolve(),
  };
  return sink;
}

/** Writes dead letters; those that the topic refuses for their size, without their content. */
export async function sendDeadLetters(
  letters: readonly OutgoingRecord[],
  publisher: Pick<Publisher, 'send'>,
): Promise<void> {
  try {
    await publisher.send(letters);
  } catch (error) {
    if (!(error instanceof RecordTooLargeError)) throw error;
    await publisher.send(error.indices.map((index) => withoutContent(letters[index])));
  }
}
