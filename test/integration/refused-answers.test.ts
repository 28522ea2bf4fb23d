import assert from 'node:assert/strict';
import { before, describe, it, type TestContext } from 'node:test';
import { deliveries } from '../../src/serving/delivery.js';
import { headerText } from '../../src/stream/headers.js';
import { createPublisher } from '../../src/stream/publisher/publisher.js';
import { readTopic } from '../../src/stream/source/topic-reader.js';
import { ensureTopics, withAdmin } from '../../src/stream/topics/topics.js';
import { uniqueName } from '../helpers/broker.js';
import { until } from '../helpers/processes.js';
import { ServingProcess } from '../helpers/serving-process.js';
import { saveSignBundle } from '../helpers/sign-bundle.js';
import { testClient } from '../helpers/stream-client.js';

const client = testClient();
const hourMs = 3_600_000;

/** What is set of a topic that takes neither records without a key nor those that are older than an hour. */
const strict = [
  { name: 'cleanup.policy', value: 'compact' },
  { name: 'message.timestamp.before.max.ms', value: String(hourMs) },
];

/** A row without a key, two with one, of which the second is old. */
async function writeRows(topic: string, firstId: number): Promise<void> {
  const publisher = await createPublisher(client, { compression: 'none' });
  const row = (id: number) => ({
    topic,
    partition: 0,
    value: Buffer.from(JSON.stringify({ id, x: 1, y: 0 })),
  });
  await publisher.send([
    { ...row(firstId), key: null },
    { ...row(firstId + 1), key: 'a' },
    { ...row(firstId + 2), key: 'b', timestampMs: Date.now() - 2 * hourMs },
  ]);
  await publisher.close();
}

/** The ids of the rows in a topic, with the codes of those that are dead letters. */
async function idsAndCodes(topic: string): Promise<[id: number, code: string | undefined][]> {
  const found: [number, string | undefined][] = [];
  for await (const { value, headers } of readTopic(client, { topic, from: 'earliest', until: 'end' })) {
    const { id } = JSON.parse(String(value)) as { id: number };
    found.push([id, headerText(headers, 'millrace.error.code')]);
  }
  return found;
}

describe('an output topic that does not take every record', () => {
  let model: string;
  before(async () => {
    model = await saveSignBundle();
  });

  async function serve(t: TestContext, delivery: string, isStrict: boolean) {
    const topic = uniqueName('refused');
    const output = `${topic}-out`;
    await ensureTopics(client, [{ topic }], { create: true });
    await withAdmin(client, 'Making a topic', (admin) =>
      admin.createTopics({
        waitForLeaders: true,
        topics: [{ topic: output, numPartitions: 1, configEntries: isStrict ? strict : [] }],
      }),
    );
    const member = new ServingProcess({ model, topic, output, group: topic, delivery });
    t.after(() => member.signal('SIGKILL'));
    await member.line('partitions assigned');
    return { topic, output, member };
  }

  const answered = async (member: ServingProcess, rows: number) => {
    await until(async () => (await member.rows()) === rows, `${rows} rows to be answered`);
  };

  for (const delivery of deliveries) {
    it(`costs the rows that it refuses the answer, and no other: ${delivery}`, async (t) => {
      const { topic, output, member } = await serve(t, delivery, true);
      await writeRows(topic, 0);
      await answered(member, 3);
      await member.stop();
      assert.deepEqual(await idsAndCodes(output), [[1, undefined]]);
      assert.deepEqual(await idsAndCodes(`${topic}.dlq`), [
        [0, 'MILLRACE_ROW_REFUSED'],
        [2, 'MILLRACE_ROW_REFUSED'],
      ]);
    });

    it(`is noticed also when it was set while rows are served: ${delivery}`, async (t) => {
      const { topic, output, member } = await serve(t, delivery, false);
      await writeRows(topic, 0);
      await answered(member, 3);
      await withAdmin(client, 'Setting a limit', (admin) =>
        // 2 stands for a topic.
        admin.alterConfigs({
          validateOnly: false,
          resources: [{ type: 2, name: output, configEntries: strict }],
        }),
      );
      await writeRows(topic, 3);
      await answered(member, 6);
      await member.stop();
      assert.deepEqual(
        (await idsAndCodes(output)).map(([id]) => id),
        [0, 1, 2, 4],
      );
      assert.deepEqual(
        (await idsAndCodes(`${topic}.dlq`)).map(([id]) => id),
        [3, 5],
      );
    });
  }
});
