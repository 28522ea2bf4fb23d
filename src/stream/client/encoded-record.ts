import type { Headers } from '../headers.js';
import { readHeaders, RecordCursor } from './batch-record.js';
import type { ByteWriter } from './byte-writer.js';

/**
 * A record whose key, value and headers are in bytes already, as a batch has them, so that a batch only copies them.
 * What is asked of it by name is read from these bytes at each asking.
 */
export class EncodedRecord {
  readonly topic: string;
  readonly timestampMs: number | undefined;
  /** The one it is written to, which is known last. */
  partition: number | undefined;
  readonly #bytes: ByteWriter;
  readonly #start: number;
  readonly #end: number;

  /** @param start where key, value and headers begin in `bytes`; they end where those end now */
  constructor(bytes: ByteWriter, start: number, topic: string, timestampMs: number | undefined) {
    this.topic = topic;
    this.timestampMs = timestampMs;
    this.partition = undefined;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = bytes.length;
  }

  /** What key, value and headers take in a batch. */
  get numContentBytes(): number {
    return this.#end - this.#start;
  }

  copyContent(target: ByteWriter): void {
    target.copyOf(this.#bytes, this.#start, this.#end);
  }

  get key(): Buffer | null {
    return this.#cursor().readField();
  }

  get value(): Buffer | null {
    const cursor = this.#cursor();
    cursor.skip(cursor.readVarint());
    return cursor.readField();
  }

  get headers(): Headers {
    const cursor = this.#cursor();
    cursor.skip(cursor.readVarint());
    cursor.skip(cursor.readVarint());
    return readHeaders(this.#bytes.bytesFrom(this.#start), cursor.at);
  }

  #cursor(): RecordCursor {
    return new RecordCursor(this.#bytes.bytesFrom(this.#start));
  }
}
