import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { readBatches } from '../../../src/stream/client/fetched-batches.js';
import type { BatchRecord } from '../../../src/stream/client/record-batch.js';

const require = createRequire(import.meta.url);
interface Decoder {
  readonly offset: number;
}
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => Decoder;
/** The decoder of kafkajs itself, which ours is held against. */
const reference = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: Decoder,
) => Promise<{ records: BatchRecord[] }>;

interface Input {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [string, Buffer | null])[];
  readonly timestampDelta: number;
}

function varint(value: number): Buffer {
  let zigzag = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const bytes: number[] = [];
  for (; zigzag > 0x7fn; zigzag >>= 7n) bytes.push(Number(zigzag & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(zigzag)]);
}

const field = (bytes: Buffer | null) =>
  bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes]);

function recordOf({ key, value, headers, timestampDelta }: Input, offsetDelta: number): Buffer {
  const body = [Buffer.from([0]), varint(timestampDelta), varint(offsetDelta), field(key), field(value)];
  const ends = headers.flatMap(([name, content]) => [field(Buffer.from(name)), field(content)]);
  const record = Buffer.concat([...body, varint(headers.length), ...ends]);
  return Buffer.concat([varint(record.length), record]);
}

interface BatchSettings {
  readonly baseOffset?: bigint;
  readonly attributes?: number;
  readonly numRecords?: number;
  readonly pack?: (records: Buffer) => Buffer;
}

function batchOf(inputs: readonly Input[], settings: BatchSettings = {}): Buffer {
  const { baseOffset = 0n, attributes = 0, numRecords = inputs.length, pack = (bytes) => bytes } = settings;
  const records = pack(Buffer.concat(inputs.map(recordOf)));
  const header = Buffer.alloc(61);
  header.writeBigInt64BE(baseOffset, 0);
  header.writeInt32BE(49 + records.length, 8);
  header.writeInt8(2, 16);
  header.writeInt16BE(attributes, 21);
  header.writeInt32BE(numRecords - 1, 23);
  header.writeBigInt64BE(1_700_000_000_000n, 27);
  header.writeBigInt64BE(1_700_000_009_000n, 35);
  header.writeBigInt64BE(77n, 43);
  header.writeInt32BE(numRecords, 57);
  return Buffer.concat([header, records]);
}

const row = (value: string): Input => ({
  key: null,
  value: Buffer.from(value),
  headers: [],
  timestampDelta: 0,
});
const gzip = { attributes: 1, pack: (bytes: Buffer) => gzipSync(bytes) };

const bytes = fc.option(
  fc.uint8Array({ maxLength: 30 }).map((each) => Buffer.from(each)),
  { nil: null },
);
const input: fc.Arbitrary<Input> = fc.record({
  key: bytes,
  value: bytes,
  // A name that every object has is where kafkajs goes wrong.
  headers: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'traceparent', 'ü', ''), bytes), { maxLength: 4 }),
  timestampDelta: fc.integer({ min: -100_000, max: 100_000 }),
});
const batch = fc
  .tuple(
    fc.array(input, { minLength: 1, maxLength: 5 }),
    fc.bigInt({ min: 0n, max: 2n ** 60n }),
    fc.constantFrom(0, 1),
    fc.constantFrom(0, 0x08, 0x10, 0x18),
  )
  .map(([inputs, baseOffset, compression, flags]) => ({
    inputs,
    settings: { baseOffset, attributes: compression | flags, ...(compression === 1 && { pack: gzip.pack }) },
  }));

describe('fetched batches', () => {
  it('are read as kafkajs reads them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 3 }), async (batches) => {
        const encoded = batches.map(({ inputs, settings }) => batchOf(inputs, settings));
        const expected: BatchRecord[] = [];
        for (const each of encoded) expected.push(...(await reference(new Decoder(each))).records);
        const found = await readBatches(Buffer.concat(encoded));
        const comparable = (records: readonly BatchRecord[]) =>
          records.map(({ offset, timestamp, key, value, headers, isControlRecord, batchContext }) => ({
            ...{ offset, timestamp, key, value, isControlRecord, headers },
            producerId: batchContext.producerId,
            inTransaction: batchContext.inTransaction,
            firstOffset: batchContext.firstOffset,
            lastOffsetDelta: batchContext.lastOffsetDelta,
          }));
        assert.deepEqual(comparable(found), comparable(expected));
      }),
    );
  });

  it('are read up to one that was cut off', async () => {
    const whole = batchOf([row('a')]);
    const cut = batchOf([row('b')], { baseOffset: 1n });
    for (let length = 0; length < cut.length; length++) {
      const found = await readBatches(Buffer.concat([whole, cut.subarray(0, length)]));
      assert.deepEqual(
        found.map(({ value }) => String(value)),
        ['a'],
      );
    }
  });

  it('become one record each when they cannot be unpacked, and cost their neighbours nothing', async () => {
    const limits = { maxBytes: 10_000, maxRecords: 100 };
    const bad: [batch: Buffer, reason: RegExp][] = [
      [batchOf([row('x'.repeat(20_000))], { ...gzip, baseOffset: 1n }), /unpacks to more than 10000 bytes/],
      [batchOf([row('x')], { ...gzip, baseOffset: 1n, numRecords: 101 }), /has 101 records, and at most 100/],
      [batchOf([row('x')], { ...gzip, baseOffset: 1n, numRecords: 2 }), /is damaged/],
      [batchOf([row('x')], { attributes: 1, baseOffset: 1n }), /cannot be unpacked \(/],
      [batchOf([row('x')], { attributes: 2, baseOffset: 1n }), /is packed with snappy, which is not read/],
      [batchOf([row('x')], { attributes: 3, baseOffset: 1n }), /is packed with lz4, which is not read/],
      [batchOf([row('x')], { attributes: 7, baseOffset: 1n }), /is packed with compression 7/],
    ];
    for (const [middle, reason] of bad) {
      const behind = batchOf([row('z')], { baseOffset: 500n });
      const found = await readBatches(
        Buffer.concat([batchOf([row('a')]), middle, behind]),
        undefined,
        limits,
      );
      assert.deepEqual(
        found.map(({ value }) => value && String(value)),
        ['a', null, 'z'],
      );
      assert.match(found[1].unreadable!, reason);
      assert.match(found[1].unreadable!, new RegExp(`^The batch of the offsets 1 to ${found[1].offset} `));
    }
  });

  it('are left for the next fetch when an answer unpacks to too much, but for the first', async () => {
    const large = (baseOffset: bigint) => batchOf([row('x'.repeat(60_000_000))], { ...gzip, baseOffset });
    const answer = Buffer.concat([large(0n), large(1n), large(2n), large(3n)]);
    const spent = { bytes: 0, records: 0 };
    assert.equal((await readBatches(answer, spent)).length, 3);
    assert.ok(spent.bytes < 200_000_000);
    assert.equal((await readBatches(answer, spent)).length, 1);
  });

  it('may have more records than one call takes arguments', async () => {
    const found = await readBatches(batchOf(Array<Input>(200_000).fill(row('')), gzip));
    assert.equal(found.length, 200_000);
    assert.equal(found.at(-1)?.offset, '199999');
  });

  it('may have records with very many headers', async () => {
    const headers = Array.from({ length: 100_000 }, (_, index) => [`h${index}`, Buffer.from('v')] as const);
    const startedAt = performance.now();
    const [found] = await readBatches(batchOf([{ ...row('a'), headers }]));
    assert.equal(Object.keys(found.headers).length, 100_000);
    assert.ok(performance.now() - startedAt < 2_000);
  });

  it('never throw and never grow, whatever bytes they have', async () => {
    const valid = batchOf(
      [row('a'), { ...row('b'), headers: [['h', Buffer.from('v')]] }, row('c'.repeat(50))],
      { baseOffset: 9n },
    );
    const before = Object.getOwnPropertyNames(Object.prototype).join();
    const change = fc.tuple(fc.nat(valid.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const damaged = Buffer.from(valid);
        for (const [index, byte] of changes) damaged[index] = byte;
        const found = await readBatches(damaged);
        assert.ok(found.length <= 3);
      }),
      { numRuns: 2_000 },
    );
    assert.equal(Object.getOwnPropertyNames(Object.prototype).join(), before);
  });
});
