import { open, type FileHandle } from 'node:fs/promises';
import { MillraceError, messageOf } from '../../errors.js';
import type { RowReject } from '../../record/csv-source.js';
import { deadLetterRecord, withoutContent } from '../dead-letter.js';
import type { OutgoingRecord } from '../publisher/produce-request.js';
import { RecordTooLargeError, type Publisher } from '../publisher/publisher.js';

/** Where rows go that could not be used, whole. */
export interface RejectSink {
  /** Takes a row; it is kept safe when `flush` has resolved. */
  write(reject: RowReject): Promise<void>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Rejected rows in a file, which are on the disk when `flush` has resolved. */
export interface RejectFile extends RejectSink {
  /** Length of the file, with all rows that were taken. */
  readonly numBytes: number;
}

/**
 * Writes rejected rows to a file as they stood, under the header, so that the file can be mended and produced. The
 * file is made (or emptied) with the first row.
 *
 * @param keptBytes go on behind so many bytes of the file, which an earlier run is known to have written; what follows
 * them is cut off
 * @throws MillraceError MILLRACE_FILE_UNUSABLE, MILLRACE_INPUT_CHANGED when the file is shorter than that
 */
export async function openRejectFile(
  path: string,
  header: Buffer | undefined,
  keptBytes = 0,
): Promise<RejectFile> {
  let file = keptBytes === 0 ? undefined : await reopen(path, keptBytes);
  let numBytes = keptBytes;
  let isFlushed = true;
  async function append(line: Buffer): Promise<void> {
    const bytes = Buffer.concat([line, Buffer.from('\n')]);
    await attempt(path, async () => {
      file ??= await open(path, 'w');
      await file.write(bytes, 0, bytes.length, numBytes);
    });
    numBytes += bytes.length;
    isFlushed = false;
  }
  return {
    get numBytes() {
      return numBytes;
    },
    async write(reject) {
      if (file === undefined && header !== undefined) await append(header);
      await append(reject.raw);
    },
    async flush() {
      if (!isFlushed) await attempt(path, () => file!.sync());
      isFlushed = true;
    },
    async close() {
      await file?.close();
    },
  };
}

async function reopen(path: string, keptBytes: number): Promise<FileHandle> {
  return attempt(path, async () => {
    const file = await open(path, 'r+');
    if ((await file.stat()).size >= keptBytes) {
      await file.truncate(keptBytes);
      return file;
    }
    await file.close();
    throw new MillraceError(
      'MILLRACE_INPUT_CHANGED',
      `${path} of --rejects is shorter than this job has written it: put it back, or give --from-start to begin again.`,
    );
  });
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    throw new MillraceError(
      'MILLRACE_FILE_UNUSABLE',
      `${path} of --rejects cannot be written: ${messageOf(error)}.`,
      { cause: error },
    );
  }
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
