import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { openLagReader } from '../../src/stream/source/group-lag.js';
import { createPublisher } from '../../src/stream/publisher/publisher.js';
import { ensureTopics, withAdmin } from '../../src/stream/topics/topics.js';
import type { HealthReport } from '../../src/telemetry/health.js';
import { uniqueName } from '../helpers/broker.js';
import { readTopic } from '../helpers/kcat.js';
import { scratchFolder } from '../helpers/scratch.js';
import { ServingProcess } from '../helpers/serving-process.js';
import { saveSignBundle } from '../helpers/sign-bundle.js';
import { testClient } from '../helpers/stream-client.js';
import { missingTool } from '../helpers/tool.js';

const client = testClient();

/** Topics of its own with two partitions, and what starts a member that reads them. */
async function newStream() {
  const [topic, output, group] = ['life', 'answers', 'group'].map(uniqueName);
  await ensureTopics(client, [{ topic, numPartitions: 2 }], { create: true });
  const model = await saveSignBundle();
  const start = (options: Record<string, string | number> = {}, preloaded?: URL) =>
    new ServingProcess(
      { model, topic, output, group, backend: 'wasm', 'session-timeout-ms': 6_000, ...options },
      preloaded,
    );
  const publish = async (first: number, count: number, numPartitions = 2) => {
    const publisher = await createPublisher(client, { compression: 'none' });
    await publisher.send(
      Array.from({ length: count }, (_, index) => ({
        topic,
        partition: index % numPartitions,
        key: String(first + index),
        value: Buffer.from(JSON.stringify({ id: first + index, x: 1, y: 2 })),
      })),
    );
    await publisher.close();
  };
  /** How many rows from `first` on were answered, and how often in all. */
  const timesAnswered = async (first = 0) => {
    const keys = (await readTopic(output)).map(({ key }) => Number(key)).filter((key) => key >= first);
    return { rows: new Set(keys).size, answers: keys.length };
  };
  return { topic, output, group, start, publish, timesAnswered };
}

const preload = (name: string, search: string | number) =>
  new URL(`../helpers/preload/${name}.js?${search}`, import.meta.url);

async function healthOf(serving: ServingProcess): Promise<HealthReport & { status: number }> {
  const response = await fetch(`${await serving.url()}/health/live`);
  return { ...((await response.json()) as HealthReport), status: response.status };
}

async function untilAnswered(serving: ServingProcess, rows: number): Promise<void> {
  while ((await serving.rows()) < rows) await delay(50);
}

describe('millrace serve', () => {
  it('is not live when its compute thread does not come back, and ends itself when nobody ends it', async (t) => {
    const { start, publish } = await newStream();
    const pipe = join(scratchFolder(t), 'wedge');
    const serving = start({ 'stall-timeout-ms': 3_000 }, preload('wedge-compute', pipe));
    await serving.line('partitions assigned');
    await publish(0, 10);
    await untilAnswered(serving, 10);
    execFileSync('mkfifo', [pipe]);
    await delay(200);
    await publish(10, 10);
    while ((await healthOf(serving)).live) await delay(50);
    const { status, reasons } = await healthOf(serving);
    assert.equal(status, 503);
    assert.match(reasons.join(), /^stalled: 10 rows are in flight, and none was answered/);
    // The thread is in a system call, for which an exit would wait.
    assert.equal(await serving.exit(), 'SIGKILL');
    assert.match(serving.message, /Work has stalled: .*--stall-timeout-ms/);
  });

  it('goes on after it was stopped for longer than its session', { skip: missingTool('kcat') }, async () => {
    const { start, publish, timesAnswered } = await newStream();
    const serving = start({ 'max-outage-ms': 8_000 });
    await serving.line('partitions assigned');
    await publish(0, 100);
    await untilAnswered(serving, 100);
    serving.signal('SIGSTOP');
    await publish(100, 100);
    await delay(12_000);
    serving.signal('SIGCONT');
    await untilAnswered(serving, 200);
    assert.equal((await healthOf(serving)).live, true);
    await serving.stop();
    assert.deepEqual(await timesAnswered(), { rows: 200, answers: 200 });
  });

  for (const minutes of [-10, 10]) {
    it(
      `answers each row once when its clock jumps by ${minutes} minutes`,
      { skip: missingTool('kcat') },
      async () => {
        const { start, publish, timesAnswered } = await newStream();
        const serving = start({}, preload('jump-clock', minutes));
        await serving.line('partitions assigned');
        await publish(0, 1_000);
        serving.signal('SIGUSR2');
        for (let first = 1_000; first < 5_000; first += 500) {
          await publish(first, 500);
          await delay(1_000);
        }
        await untilAnswered(serving, 5_000);
        const summary = await serving.stop();
        assert.deepEqual(await timesAnswered(), { rows: 5_000, answers: 5_000 });
        assert.equal(summary['rebalances'], 1);
      },
    );
  }

  it('shows no lag behind markers of transactions', async () => {
    const { topic, group, start } = await newStream();
    const serving = start();
    await serving.line('partitions assigned');
    const producer = client.kafka.producer({
      transactionalId: topic,
      maxInFlightRequests: 1,
      idempotent: true,
    });
    await producer.connect();
    for (const end of ['commit', 'abort'] as const) {
      const transaction = await producer.transaction();
      const messages = [0, 1].map((partition) => ({ partition, value: '{"id":1,"x":1,"y":2}' }));
      await transaction.send({ topic, messages });
      await transaction[end]();
    }
    await producer.disconnect();
    const lag = await openLagReader(client, topic, group);
    while ((await lag.read()) > 0) await delay(50);
    await lag.close();
    assert.equal((await serving.stop())['rows'], 2);
  });

  it(
    'is not ready while its output topic is deleted, and loses nothing when it is made anew with fewer partitions',
    { skip: missingTool('kcat') },
    async () => {
      const { output, start, publish, timesAnswered } = await newStream();
      const serving = start();
      await serving.line('partitions assigned');
      await publish(0, 10);
      await untilAnswered(serving, 10);
      await withAdmin(client, 'Deleting', (admin) => admin.deleteTopics({ topics: [output] }));
      // What is answered while the broker still deletes goes with the old topic.
      await publish(10, 10);
      while ((await healthOf(serving)).ready) await delay(50);
      await publish(20, 20);
      const { live, reasons } = await healthOf(serving);
      assert.ok(live);
      assert.match(reasons.join(), /^output: /);
      await ensureTopics(client, [{ topic: output, numPartitions: 1 }], { create: true });
      await untilAnswered(serving, 40);
      while (!(await healthOf(serving)).ready) await delay(50);
      await serving.stop();
      assert.deepEqual(await timesAnswered(20), { rows: 20, answers: 20 });
    },
  );

  it(
    'answers the rows of partitions that were added to its topic, in an output with fewer',
    { skip: missingTool('kcat') },
    async () => {
      const { topic, start, publish, timesAnswered } = await newStream();
      const serving = start({ 'offset-reset': 'latest' });
      await serving.line('partitions assigned');
      await withAdmin(client, 'Adding partitions', (admin) =>
        admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] }),
      );
      await publish(0, 50, 5);
      await untilAnswered(serving, 50);
      await serving.stop();
      assert.deepEqual(await timesAnswered(), { rows: 50, answers: 50 });
    },
  );

  it('ends with code 2 and says what to do when its position has expired and --on-gap fail', async () => {
    const { topic, start, publish } = await newStream();
    const serving = start();
    await serving.line('partitions assigned');
    await publish(0, 20);
    await untilAnswered(serving, 20);
    await serving.stop();
    await publish(20, 20);
    await withAdmin(client, 'Deleting records', async (admin) => {
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '15' }] });
    });
    const again = start({ 'on-gap': 'fail' });
    assert.equal(await again.exit(), 2, again.message);
    assert.match(
      again.message,
      /^millrace: Partition 0 .* at offset 10 .*--on-gap earliest .*POSITION_LOST\]\n$/,
    );
    const patient = start();
    const { reason, skipped } = await patient.line(
      'records behind the position of the group are not retained any more and were never read',
    );
    assert.deepEqual([reason, skipped], ['expired', 5]);
    await untilAnswered(patient, 15);
    const metrics = await (await fetch(`${await patient.url()}/metrics`)).text();
    assert.match(metrics, /^millrace_gaps_total\{reason="expired"\} 1$/m);
    assert.match(metrics, /^millrace_skipped_offsets_total 5$/m);
    await patient.stop();
  });
});
