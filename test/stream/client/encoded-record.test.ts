import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BatchRecord } from '../../../src/stream/client/batch-record.js';
import { ByteWriter } from '../../../src/stream/client/byte-writer.js';
import { EncodedRecord } from '../../../src/stream/client/encoded-record.js';
import { readRecordBatch, readRecords } from '../../../src/stream/client/record-batch.js';
import {
  writeHeaders,
  writeRecordBatch,
  type WritableRecord,
} from '../../../src/stream/client/record-batch-writer.js';

const settings = {
  producerId: 1n,
  producerEpoch: 0,
  firstSequence: 0,
  isTransactional: true,
  isGzip: false,
};
const content = fc.uint8Array({ maxLength: 100, size: 'max' }).map((each) => Buffer.from(each));
const nullable = fc.option(content, { nil: null });
const headers = fc.oneof(
  fc.constant({}),
  fc.dictionary(fc.string({ maxLength: 5 }), fc.oneof(content, fc.array(content, { minLength: 2 })), {
    noNullPrototype: true,
  }),
);
const records = fc.array(fc.record({ key: nullable, value: nullable, headers, timestampMs: fc.nat() }), {
  minLength: 1,
  maxLength: 20,
});

async function batchOf(batch: readonly WritableRecord[]): Promise<Buffer> {
  const bytes = new ByteWriter(1);
  await writeRecordBatch(bytes, batch, settings);
  return bytes.bytesFrom(0);
}

/** Each of them in bytes, all in one writer. */
function encode(batch: readonly WritableRecord[]): EncodedRecord[] {
  const bytes = new ByteWriter(1);
  return batch.map(({ key, value, headers: named, timestampMs }) => {
    const start = bytes.length;
    bytes.field(key);
    bytes.field(value);
    writeHeaders(bytes, named);
    return new EncodedRecord(bytes, start, 'topic', timestampMs);
  });
}

describe('an encoded record', () => {
  it('tells what it is made of', () => {
    fc.assert(
      fc.property(records, (given) => {
        for (const [index, record] of encode(given).entries()) {
          const { key, value, headers: named, timestampMs } = given[index];
          assert.deepEqual(
            { key: record.key, value: record.value, timestampMs: record.timestampMs },
            { key, value, timestampMs },
          );
          assert.deepEqual(Object.entries(record.headers), Object.entries(named));
        }
      }),
    );
  });

  it('makes the same batch as what it is made of', async () => {
    await fc.assert(
      fc.asyncProperty(records, async (given) => {
        assert.deepEqual(await batchOf(encode(given)), await batchOf(given));
      }),
    );
  });

  it('has the key of a record that was read', async () => {
    await fc.assert(
      fc.asyncProperty(records, async (given) => {
        const batch = await batchOf(given);
        const read = readRecords(readRecordBatch(batch, 0)!, batch.subarray(61));
        for (const [index, record] of read.entries()) {
          assert.ok(record instanceof BatchRecord);
          const [ours, expected] = [new ByteWriter(1), new ByteWriter(1)];
          record.writeKey(ours);
          expected.field(given[index].key);
          assert.deepEqual(ours.bytesFrom(0), expected.bytesFrom(0));
        }
      }),
    );
  });
});
