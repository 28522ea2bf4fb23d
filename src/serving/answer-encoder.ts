import type { Encoder } from '../record/codec.js';
import type { Observation } from '../record/observation.js';
import { BatchRecord } from '../stream/client/batch-record.js';
import { ByteWriter } from '../stream/client/byte-writer.js';
import { EncodedRecord } from '../stream/client/encoded-record.js';
import { writeHeaders } from '../stream/client/record-batch-writer.js';
import type { IncomingRecord, OwnedPartition } from '../stream/source/topic-source.js';
import { answerTimestamp } from './answer.js';

export interface AnswerTarget {
  readonly outputTopic: string;
  readonly encoder: Encoder;
}

const offsetHeader = 'millrace.source.offset';
/** Topic, partition and offset. */
const numSourceHeaders = 3;
/** What memory is laid out for; more is asked for when it is needed. */
const usualRecordBytes = 288;

/**
 * Makes the records of predictions for rows of one partition, as bytes, all in one piece of memory. A prediction has the
 * key, the headers and the time of its row, and headers that say where its row is: `millrace.source.topic`,
 * `millrace.source.partition` and `millrace.source.offset`.
 */
export class AnswerEncoder {
  readonly #target: AnswerTarget;
  readonly #bytes: ByteWriter;
  readonly #sourceHeaders: Readonly<Record<string, string>>;
  /** Topic and partition, and the name of the third header, as a record has them when it has no others. */
  readonly #plainHeaders: Buffer;

  constructor(target: AnswerTarget, { topic, partition }: OwnedPartition, numRows: number) {
    this.#target = target;
    this.#bytes = new ByteWriter(numRows * usualRecordBytes);
    this.#sourceHeaders = {
      'millrace.source.topic': topic,
      'millrace.source.partition': String(partition),
    };
    const headers = new ByteWriter(256);
    headers.varint(numSourceHeaders);
    for (const [name, content] of Object.entries(this.#sourceHeaders)) {
      headers.field(name);
      headers.field(content);
    }
    headers.field(offsetHeader);
    this.#plainHeaders = headers.bytesFrom(0);
  }

  /** Throws RowError when the prediction cannot be encoded. */
  encode(input: IncomingRecord, prediction: Observation): EncodedRecord {
    const bytes = this.#bytes;
    const start = bytes.length;
    try {
      if (input instanceof BatchRecord) input.writeKey(bytes);
      else bytes.field(input.key);
      this.#writeValue(prediction);
      this.#writeHeaders(input);
    } catch (error) {
      bytes.truncate(start);
      throw error;
    }
    return new EncodedRecord(bytes, start, this.#target.outputTopic, answerTimestamp(input));
  }

  #writeValue(prediction: Observation): void {
    const { encoder } = this.#target;
    const { inPlace } = encoder;
    const bytes = this.#bytes;
    const start = bytes.beginWithLength();
    if (inPlace !== undefined && bytes.inPlace(prediction, inPlace.maxBytes, inPlace.write)) {
      bytes.endWithLength(start);
    } else {
      bytes.truncate(start);
      bytes.field(encoder.encode(prediction));
    }
  }

  #writeHeaders({ headers, offset }: IncomingRecord): void {
    const bytes = this.#bytes;
    for (const _ in headers) {
      return writeHeaders(bytes, { ...headers, ...this.#sourceHeaders, [offsetHeader]: String(offset) });
    }
    bytes.raw(this.#plainHeaders);
    bytes.field(String(offset));
  }
}
