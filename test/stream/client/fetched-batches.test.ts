import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { readBatches } from '../../../src/stream/client/fetched-batches.js';
import type { IncomingRecord } from '../../../src/stream/incoming-record.js';

const require = createRequire(import.meta.url);
interface Decoder {
  readonly offset: number;
}
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => Decoder;
/** The decoder of kafkajs itself, which ours is held against. */
const reference = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: Decoder,
) => Promise<{ records: readonly KafkaRecord[] }>;
type Content = Buffer | null;
interface KafkaRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Content | Content[]>>;
}
/** kafkajs cannot write a header without content. */
const withContent = (content: Content | Content[]) =>
  Array.isArray(content) ? content.map((each) => each ?? Buffer.alloc(0)) : (content ?? Buffer.alloc(0));

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
/** The key of a marker is its version and its type. */
const markerOf = (type: 'abort' | 'commit'): Input => ({
  ...row(''),
  key: Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1]),
});
const textOf = (records: readonly IncomingRecord[]) => records.map(({ value }) => String(value));
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

/** The records of batches, as they are read. */
async function recordsOf(...[messages, spent, limits]: Parameters<typeof readBatches>) {
  const span = await readBatches(messages, spent, limits);
  return span?.records ?? [];
}

describe('fetched batches', () => {
  it('are read as kafkajs reads them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 3 }), async (batches) => {
        const encoded = batches.map(({ inputs, settings }) => batchOf(inputs, settings));
        const expected: KafkaRecord[] = [];
        for (const each of encoded) expected.push(...(await reference(new Decoder(each))).records);
        const found = await recordsOf(Buffer.concat(encoded));
        assert.deepEqual(
          found.map(({ offset, timestampMs, key, value, headers }) => ({
            ...{ offset, timestampMs, key, value, headers },
          })),
          expected.map(({ offset, timestamp, key, value, headers }) => ({
            ...{ offset: BigInt(offset), timestampMs: Number(timestamp), key, value },
            headers: Object.fromEntries(
              Object.entries(headers).map(([name, content]) => [name, withContent(content)]),
            ),
          })),
        );
        const last = encoded.length - 1;
        const { baseOffset } = batches[last].settings;
        const span = await readBatches(Buffer.concat(encoded));
        assert.equal(span?.nextOffset, baseOffset + BigInt(batches[last].inputs.length));
      }),
    );
  });

  it('have records that know how many bytes they take', async () => {
    const full: Input = { ...row('value'), key: Buffer.from('key'), headers: [['h', Buffer.from('v')]] };
    const found = await recordsOf(batchOf([full, row(''), full], gzip));
    assert.deepEqual(
      found.map(({ numBytes }) => numBytes),
      [full, row(''), full].map((each, index) => recordOf(each, index).length),
    );
  });

  it('have headers that are called as something every object has', async () => {
    const headers = ['constructor', '__proto__', 'valueOf', 'valueOf'].map(
      (name) => [name, Buffer.from('x')] as const,
    );
    const [{ headers: found }] = await recordsOf(batchOf([{ ...row('a'), headers }]));
    assert.deepEqual(Object.entries(found), [
      ['constructor', Buffer.from('x')],
      ['__proto__', Buffer.from('x')],
      ['valueOf', [Buffer.from('x'), Buffer.from('x')]],
    ]);
  });

  it('move the position also when they hold no records, or markers alone', async () => {
    const empty = batchOf([], { baseOffset: 5n });
    empty.writeInt32BE(9, 23);
    const marker = batchOf([markerOf('abort')], { baseOffset: 15n, attributes: 0x30 });
    for (const [messages, nextOffset] of [
      [empty, 15n],
      [Buffer.concat([empty, marker]), 16n],
    ] as const) {
      const span = await readBatches(messages);
      assert.deepEqual([span?.records, span?.nextOffset], [[], nextOffset]);
    }
    assert.equal(await readBatches(empty.subarray(0, 60)), undefined);
  });

  it('of a transaction that was given up have no records, which no key passes for the marker of', async () => {
    const inTransaction = { attributes: 0x10 };
    const zero: Input = { ...row('zero'), key: Buffer.alloc(4) };
    const span = await readBatches(
      Buffer.concat([
        batchOf([zero, row('a')], inTransaction),
        batchOf([zero], { ...inTransaction, baseOffset: 2n }),
        batchOf([row('other')], { baseOffset: 3n }),
        batchOf([markerOf('abort')], { attributes: 0x30, baseOffset: 4n }),
        batchOf([row('b')], { ...inTransaction, baseOffset: 5n }),
        batchOf([markerOf('commit')], { attributes: 0x30, baseOffset: 6n }),
      ]),
    );
    const kept = span!.without([{ producerId: '77', firstOffset: '0' }]);
    assert.deepEqual(textOf(kept.records), ['other', 'b']);
    assert.equal(kept.nextOffset, 7n);
    assert.equal(kept.offset, '6');
    assert.deepEqual(textOf(span!.without([]).records), ['zero', 'a', 'zero', 'other', 'b']);
  });

  it('are read on from the middle of one', async () => {
    const span = await readBatches(batchOf([row('a'), row('b'), row('c')], { baseOffset: 10n }));
    const from = (offset: bigint) => textOf(span!.recordsFrom(offset));
    assert.deepEqual([from(9n), from(12n), from(13n)], [['a', 'b', 'c'], ['c'], []]);
  });

  it('are read up to one that was cut off', async () => {
    const whole = batchOf([row('a')]);
    const cut = batchOf([row('b')], { baseOffset: 1n });
    for (let length = 0; length < cut.length; length++) {
      const found = await recordsOf(Buffer.concat([whole, cut.subarray(0, length)]));
      assert.deepEqual(textOf(found), ['a']);
    }
  });

  it('become one record each when they cannot be unpacked, and cost their neighbours nothing', async () => {
    const limits = { maxBytes: 10_000, maxRecords: 100 };
    const misplaced = batchOf([row('x'), row('y')], { baseOffset: 1n });
    misplaced.writeInt32BE(0, 23);
    const bad: [batch: Buffer, reason: RegExp][] = [
      [batchOf([row('x'.repeat(20_000))], { ...gzip, baseOffset: 1n }), /unpacks to more than 10000 bytes/],
      [batchOf([row('x')], { ...gzip, baseOffset: 1n, numRecords: 101 }), /has 101 records, and at most 100/],
      [batchOf([row('x')], { ...gzip, baseOffset: 1n, numRecords: 2 }), /is damaged \(/],
      [
        batchOf([row('x'), row('y')], { baseOffset: 1n, numRecords: 1 }),
        /is damaged \(bytes are left behind/,
      ],
      [misplaced, /is damaged \(an offset is not within/],
      [batchOf([row('x')], { attributes: 1, baseOffset: 1n }), /cannot be unpacked \(/],
      [batchOf([row('x')], { attributes: 2, baseOffset: 1n }), /is packed with snappy, which is not read/],
      [batchOf([row('x')], { attributes: 3, baseOffset: 1n }), /is packed with lz4, which is not read/],
      [batchOf([row('x')], { attributes: 7, baseOffset: 1n }), /is packed with compression 7/],
    ];
    for (const [middle, reason] of bad) {
      const behind = batchOf([row('z')], { baseOffset: 500n });
      const found = await recordsOf(Buffer.concat([batchOf([row('a')]), middle, behind]), undefined, limits);
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
    assert.equal((await recordsOf(answer, spent)).length, 3);
    assert.ok(spent.bytes < 200_000_000);
    assert.equal((await recordsOf(answer, spent)).length, 1);
  });

  it('may have more records than one call takes arguments', async () => {
    const found = await recordsOf(batchOf(Array<Input>(200_000).fill(row('')), gzip));
    assert.equal(found.length, 200_000);
    assert.equal(found.at(-1)?.offset, 199_999n);
  });

  it('may have records with very many headers', async () => {
    const headers = Array.from({ length: 100_000 }, (_, index) => [`h${index}`, Buffer.from('v')] as const);
    const messages = batchOf([{ ...row('a'), headers }]);
    const startedAt = performance.now();
    const [found] = await recordsOf(messages);
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
        const found = await recordsOf(damaged);
        assert.ok(found.length <= 3);
        for (const { key, value, headers } of found)
          assert.ok(headers && key !== undefined && value !== undefined);
      }),
      { numRuns: 2_000 },
    );
    assert.equal(Object.getOwnPropertyNames(Object.prototype).join(), before);
  });
});
