import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, describe, it } from 'node:test';
import { CompressionTypes, type Message } from 'kafkajs';
import { ensureTopics } from '../../src/stream/topics/topics.js';
import { testBrokers, uniqueName } from '../helpers/broker.js';
import { headerOf, jsonOf, readTopic, untilTopicHolds } from '../helpers/kcat.js';
import { ServingProcess } from '../helpers/serving-process.js';
import { saveSignBundle } from '../helpers/sign-bundle.js';
import { testClient } from '../helpers/stream-client.js';
import { missingTool } from '../helpers/tool.js';

const client = testClient();
const row = (id: number) => JSON.stringify({ id, x: 1, y: 0 });

describe('batches that are meant to do harm', { skip: missingTool('kcat') }, () => {
  let model: string;
  before(async () => {
    model = await saveSignBundle();
  });

  it('become dead letters, while every row between them is answered', async () => {
    const topic = uniqueName('hostile');
    await ensureTopics(client, [{ topic, numPartitions: 1 }], { create: true });
    const producer = client.kafka.producer();
    await producer.connect();
    const send = (messages: Message[], compression = CompressionTypes.None) =>
      producer.send({ topic, messages, compression });
    const packed = (how: string, id: number) =>
      execFileSync('kcat', ['-P', '-b', testBrokers()[0], '-t', topic, '-p', '0', '-z', how], {
        // It packs only what becomes smaller.
        input: JSON.stringify({ id, x: 1, y: 0, note: 'n'.repeat(5_000) }),
      });

    await send([{ value: row(0) }]);
    // 100 MB in 100 kB.
    await send([{ value: Buffer.alloc(100_000_000) }], CompressionTypes.GZIP);
    await send([{ value: row(1) }]);
    packed('snappy', 100);
    packed('lz4', 101);
    await send([{ value: row(2), headers: Object.fromEntries(manyHeaders(30_000)) }]);
    await send([{ value: row(3) }]);
    await producer.disconnect();

    const [output, letters] = [`${topic}-out`, `${topic}.dlq`];
    const member = new ServingProcess({ model, topic, output, group: topic, backend: 'wasm' });
    await member.line('serving');
    await untilTopicHolds(output, 4);
    await untilTopicHolds(letters, 3);
    await member.stop();

    const answered = (await readTopic(output)).map((answer) => jsonOf<{ id: number }>(answer).id);
    assert.deepEqual(answered, [0, 1, 2, 3]);
    const found = await readTopic(letters);
    assert.deepEqual(
      found.map((letter) => headerOf(letter, 'millrace.error.code')),
      Array<string>(3).fill('MILLRACE_ROW_BATCH_UNREADABLE'),
    );
    const reasons = found.map((letter) => headerOf(letter, '__connect.errors.exception.message') ?? '');
    assert.match(reasons[0], /^The batch of the offsets 1 to 1 unpacks to more than 67108864 bytes/);
    assert.match(reasons[1], /^The batch of the offsets 3 to 3 is packed with snappy/);
    assert.match(reasons[2], /^The batch of the offsets 4 to 4 is packed with lz4/);
  });
});

const manyHeaders = (count: number) =>
  Array.from({ length: count }, (_, index) => [`h${index}`, 'v'] as const);
