import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { writeBatchesDirectly, type ProduceRequest } from '../../../src/stream/client/produced-batches.js';

interface ProtocolRequest {
  readonly apiVersion: number;
  expectResponse(): boolean;
  encode(): Promise<{ readonly buffer: Buffer }>;
}
type CreateRequest = (request: object) => ProtocolRequest;

const require = createRequire(import.meta.url);
/** That of kafkajs itself, loaded before ours is in its place. */
const encodeByReference = require('kafkajs/src/protocol/requests/produce/v3/request') as CreateRequest;
writeBatchesDirectly();
const { protocol } = require('kafkajs/src/protocol/requests/produce') as {
  protocol: (api: { version: number }) => (request: object) => { request: ProtocolRequest };
};
const encode = (request: object, version = 7) => protocol({ version })(request).request;

const message = fc.record({
  key: fc.option(fc.string(), { nil: null }),
  value: fc.uint8Array().map((each) => Buffer.from(each)),
  headers: fc.dictionary(fc.string(), fc.string()),
  timestamp: fc.constant('1700000000000'),
});
const partition = fc.record({
  partition: fc.nat(2 ** 31 - 1),
  firstSequence: fc.nat(2 ** 31 - 1),
  messages: fc.array(message, { minLength: 1, maxLength: 5 }),
});
const producer = fc.oneof(
  fc.constant({}),
  fc.record({
    transactionalId: fc.option(fc.string({ unit: 'binary' }), { nil: null }),
    producerId: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String),
    producerEpoch: fc.nat(32_767),
  }),
);
const topics = fc.array(
  fc.record({ topic: fc.string({ unit: 'binary' }), partitions: fc.array(partition, { maxLength: 3 }) }),
  { maxLength: 3 },
);

describe('a produce request', () => {
  it('has the bytes that kafkajs gives it, in every version that has record batches', async () => {
    await fc.assert(
      fc.asyncProperty(
        topics,
        producer,
        fc.constantFrom(-1, 0, 1),
        fc.constantFrom(3, 4, 5, 6, 7),
        async (topicData, by, acks, version) => {
          const content = { topicData, acks, timeout: 30_000, ...by };
          const [ours, theirs] = [encode(content, version), encodeByReference(content)];
          assert.ok((await ours.encode()).buffer.equals((await theirs.encode()).buffer));
          assert.equal(ours.apiVersion, version);
          assert.equal(ours.expectResponse(), acks !== 0);
        },
      ),
    );
  });

  it('is left to kafkajs for compressions other than gzip', async () => {
    const messages = [{ value: 'x', timestamp: '1' }];
    const content = (compression: number): ProduceRequest => ({
      acks: -1,
      timeout: 1,
      compression,
      topicData: [{ topic: 'topic', partitions: [{ partition: 0, messages }] }],
    });
    const { buffer } = await encode(content(1)).encode();
    const record = [14, 0, 0, 0, 1, 2, 'x'.charCodeAt(0), 0];
    assert.ok(buffer.includes(gzipSync(Buffer.from(record))));
    await assert.rejects(async () => encode(content(2)).encode(), /Snappy compression not implemented/);
  });
});
