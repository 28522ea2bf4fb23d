import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { ByteWriter } from '../../../src/stream/client/byte-writer.js';
import { crc32c } from '../../../src/stream/client/crc32c.js';
import { readBatches } from '../../../src/stream/client/fetched-batches.js';
import { readRecordBatch } from '../../../src/stream/client/record-batch.js';
import {
  writeRecordBatch,
  type BatchSettings,
  type WritableRecord,
} from '../../../src/stream/client/record-batch-writer.js';

const require = createRequire(import.meta.url);
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object;
const decode = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: object,
) => Promise<unknown>;
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => object;
const { RecordBatch: encodeBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (batch: object) => Promise<{ buffer: Buffer }>;
};

/** A record as kafkajs decodes it. */
interface KafkaRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: object;
}

const settings: BatchSettings = {
  producerId: 4001n,
  producerEpoch: 3,
  firstSequence: 2 ** 31 - 1,
  isTransactional: true,
  isGzip: false,
};

async function write(records: readonly WritableRecord[], changes: Partial<BatchSettings> = {}) {
  const bytes = new ByteWriter(1);
  await writeRecordBatch(bytes, records, { ...settings, ...changes });
  return bytes.bytesFrom(0);
}

/** What kafkajs writes for the same records. */
async function writeByReference(records: readonly WritableRecord[], times: readonly number[]) {
  const { buffer } = await encodeBatch({
    records: records.map((record, offsetDelta) =>
      encodeRecord({ ...record, offsetDelta, timestampDelta: times[offsetDelta] - times[0] }),
    ),
    firstTimestamp: times[0],
    maxTimestamp: Math.max(...times),
    producerId: String(settings.producerId),
    producerEpoch: settings.producerEpoch,
    firstSequence: settings.firstSequence,
    transactional: true,
    lastOffsetDelta: records.length - 1,
  });
  return buffer;
}

const text = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ minLength: 60, maxLength: 70, size: 'max' }),
);
const content = fc.oneof(
  text,
  fc.uint8Array({ maxLength: 80, size: 'max' }).map((each) => Buffer.from(each)),
);
const nullable = fc.option(content, { nil: null });
const value = fc.oneof(
  nullable,
  // The lengths around which the prefix of a record becomes longer.
  fc.integer({ min: 40, max: 70 }).map((length) => Buffer.alloc(length, 1)),
  fc.integer({ min: 8_150, max: 8_200 }).map((length) => Buffer.alloc(length, 1)),
);
const headers = fc.option(fc.dictionary(text, fc.oneof(content, fc.array(content, { maxLength: 3 }))), {
  nil: undefined,
});
const records = fc.array(fc.record({ key: nullable, value, headers }), {
  minLength: 1,
  maxLength: 70,
});
const time = fc.oneof(fc.constant(1_700_000_000_000), fc.nat(4_000_000_000_000));

describe('a record batch', () => {
  it('has the bytes that kafkajs gives it', async () => {
    await fc.assert(
      fc.asyncProperty(records, fc.infiniteStream(time), async (inputs, stream) => {
        const times = inputs.map(() => stream.next().value as number);
        const timed = inputs.map((input, index) => ({ ...input, timestampMs: times[index] }));
        assert.ok((await write(timed)).equals(await writeByReference(inputs, times)));
      }),
      { numRuns: 100 },
    );
  });

  it('has the same records when it is packed', async () => {
    await fc.assert(
      fc.asyncProperty(records, async (inputs) => {
        const timed = inputs.map((input) => ({ ...input, timestampMs: 1 }));
        const [plain, packed] = [await write(timed), await write(timed, { isGzip: true })];
        assert.equal(readRecordBatch(packed, 0)?.compression, 1);
        assert.ok(gunzipSync(packed.subarray(61)).equals(plain.subarray(61)));
        assert.equal(packed.readUInt32BE(17), crc32c(packed.subarray(21)));
      }),
      { numRuns: 10 },
    );
  });

  it('is read as it was written, by our reader and by that of kafkajs', async () => {
    const bytes = await write([
      { key: 'key', value: Buffer.from('later'), timestampMs: 1_700_000_000_005 },
      { key: null, value: null, headers: { a: ['1', Buffer.from('2')], ä: 'ö' }, timestampMs: 0 },
      { key: Buffer.from([255]), value: 'x', timestamp: '1700000000007' },
    ]);
    const ours = (await readBatches(bytes))!.records;
    const theirs = (await decode(new Decoder(bytes))) as { records: KafkaRecord[] };
    const shown = (
      found: readonly (Omit<KafkaRecord, 'offset' | 'timestamp'> & { offset: unknown; time: unknown })[],
    ) =>
      found.map(({ key, value, headers, time, offset }) => ({
        key: key?.toString('latin1'),
        value: value?.toString(),
        headers: JSON.stringify(headers),
        time: String(time),
        offset: String(offset),
      }));
    assert.deepEqual(
      shown(
        ours.map(({ offset, timestampMs: time, key, value, headers }) => ({
          ...{ offset, time, key, value, headers },
        })),
      ),
      shown(theirs.records.map(({ timestamp: time, ...record }) => ({ ...record, time }))),
    );
    assert.deepEqual(
      ours.map(({ timestampMs }) => timestampMs),
      [1_700_000_000_005, 0, 1_700_000_000_007],
    );
    assert.equal(readRecordBatch(bytes, 0)?.maxTimestampMs, 1_700_000_000_007);
  });

  it('has the time at which it is written where a record has none', async () => {
    const before = Date.now();
    const [{ timestampMs }] = (await readBatches(await write([{ value: 'x' }])))!.records;
    assert.ok(timestampMs >= before && timestampMs <= Date.now());
  });
});
