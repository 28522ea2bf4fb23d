import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createPublisher } from '../../src/stream/publisher/publisher.js';
import { readTopic } from '../../src/stream/source/topic-reader.js';
import { ensureTopics } from '../../src/stream/topics/topics.js';
import { KillableBroker } from '../helpers/killable-broker.js';

it('the reader of a topic goes on where it was when the broker was away', async (test) => {
  const broker = await KillableBroker.start();
  test.after(() => broker.close());
  const client = broker.client();
  const topic = 'followed';
  await ensureTopics(client, [{ topic, numPartitions: 2 }], { create: true });
  const publish = async (start: number) => {
    const publisher = await createPublisher(client, { compression: 'none' });
    const values = [start, start + 1, start + 2, start + 3];
    await publisher.send(
      values.map((value) => ({ topic, key: null, value: Buffer.from(String(value)), partition: value % 2 })),
    );
    await publisher.close();
  };
  await publish(0);
  const seen: number[] = [];
  const stop = new AbortController();
  const options = {
    topic,
    from: 'earliest',
    until: 'forever',
    signal: stop.signal,
    maxOutageMs: 120_000,
  } as const;
  for await (const { value } of readTopic(client, options)) {
    seen.push(Number(value));
    if (seen.length === 4) {
      await broker.kill();
      void broker.restart().then(() => publish(4));
    }
    if (seen.length === 8) stop.abort();
  }
  assert.deepEqual(
    seen.filter((value) => value % 2 === 0),
    [0, 2, 4, 6],
  );
  assert.deepEqual(
    seen.filter((value) => value % 2 === 1),
    [1, 3, 5, 7],
  );
});
