import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import kafkajs from 'kafkajs';
import { deliveries } from '../../src/serving/delivery.js';
import { cacheFolder } from '../../src/config/cache-folder.js';
import { readEnvironment } from '../../src/config/environment.js';
import { compileOptions } from '../../src/config/options.js';
import { startEmbeddedBroker, type EmbeddedBroker } from '../../deploy/embedded-broker/embedded-broker.js';
import { connect, connectionOptions, type StreamClient } from '../../src/stream/client/connection.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { createPublisher, type Publisher } from '../../src/stream/publisher/publisher.js';
import { readTopic } from '../../src/stream/source/topic-reader.js';
import { ensureTopics, withAdmin } from '../../src/stream/topics/topics.js';
import { uniqueName } from '../helpers/broker.js';
import { until } from '../helpers/processes.js';
import { ServingProcess } from '../helpers/serving-process.js';
import { saveSignBundle } from '../helpers/sign-bundle.js';

/** Brokers of their own, which ask for rights: whoever was not denied something may do it. */
const properties = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'allow.everyone.if.no.acl.found': true,
};
let broker: EmbeddedBroker;
let client: StreamClient;
before(async () => {
  const cache = cacheFolder(readEnvironment()['MILLRACE_CACHE']);
  broker = await startEmbeddedBroker({ cacheFolder: cache, properties });
  const options = compileOptions(connectionOptions, { flags: { brokers: broker.brokers[0] } });
  client = connect(options, createLogger({ name: 'test', level: 'silent' }));
});
after(() => broker.stop());

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

async function valuesOf(topic: string): Promise<string[]> {
  const values: string[] = [];
  for await (const { value } of readTopic(client, { topic, from: 'earliest', until: 'end' })) {
    values.push(String(value));
  }
  return values;
}

async function idsOf(topic: string): Promise<number[]> {
  const predictions = (await valuesOf(topic)).map((value) => JSON.parse(value) as { id: number });
  return predictions.map(({ id }) => id).sort((a, b) => a - b);
}

const numbers = (start: number, end: number) =>
  Array.from({ length: end - start }, (_, index) => start + index);

/** Ways in which a dead-letter topic can be unwritable, and how that is mended. */
const faults: readonly {
  readonly what: string;
  readonly reason: RegExp;
  readonly spoil: (topic: string) => Promise<void>;
  readonly mend: (topic: string) => Promise<void>;
}[] = [
  {
    what: 'was deleted',
    reason: /^output: .*\.dlq/,
    async spoil(topic) {
      await withAdmin(client, 'Deleting a topic', (admin) => admin.deleteTopics({ topics: [topic] }));
      const topics = () => withAdmin(client, 'Listing topics', (admin) => admin.listTopics());
      await until(async () => !(await topics()).includes(topic), 'the end of the topic');
    },
    mend: (topic) => ensureTopics(client, [{ topic }], { create: true }),
  },
  {
    what: 'takes not even a letter without its content',
    reason: /^output: .*\.dlq/,
    spoil: (topic) => setMaxMessageBytes(topic, 200),
    mend: (topic) => setMaxMessageBytes(topic, 1_000_000),
  },
  {
    what: 'may not be written by this user',
    // Predictions may go with the letter, and then neither broker nor client tells which topic is in the way.
    reason:
      /^output: \S*\.dlq( or \S*-out)? cannot be written, TOPIC_AUTHORIZATION_FAILED: allow this user to write it/,
    spoil: (topic) =>
      withAdmin(client, 'Denying', async (admin) => {
        await admin.createAcls({ acl: [denied(topic)] });
      }),
    mend: (topic) =>
      withAdmin(client, 'Allowing', async (admin) => {
        const { resourceType, resourceName, resourcePatternType } = denied(topic);
        const [operation, permissionType] = [AclOperationTypes.ANY, AclPermissionTypes.ANY];
        const filter = { resourceType, resourceName, resourcePatternType, operation, permissionType };
        await admin.deleteAcls({ filters: [filter] });
      }),
  },
];

const denied = (topic: string) => ({
  resourceType: AclResourceTypes.TOPIC,
  resourceName: topic,
  resourcePatternType: ResourcePatternTypes.LITERAL,
  principal: 'User:ANONYMOUS',
  host: '*',
  operation: AclOperationTypes.WRITE,
  permissionType: AclPermissionTypes.DENY,
});

async function setMaxMessageBytes(name: string, value: number): Promise<void> {
  const configEntries = [{ name: 'max.message.bytes', value: String(value) }];
  await withAdmin(client, 'Setting a limit', (admin) =>
    // 2 stands for a topic.
    admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name, configEntries }] }),
  );
}

describe('a dead-letter topic that cannot be written', () => {
  let model: string;
  let publisher: Publisher;
  before(async () => {
    model = await saveSignBundle();
    publisher = await createPublisher(client, { compression: 'none' });
  });
  after(() => publisher.close());

  for (const delivery of deliveries) {
    for (const { what, reason, spoil, mend } of faults) {
      it(`because it ${what} stops its partition until it is mended, and loses nothing: ${delivery}`, async (test) => {
        const topic = uniqueName('unwritable');
        const letters = `${topic}.dlq`;
        await ensureTopics(client, [{ topic, numPartitions: 2 }], { create: true });
        const member = new ServingProcess({
          brokers: broker.brokers[0],
          model,
          topic,
          output: `${topic}-out`,
          group: `${topic}-group`,
          delivery,
          'session-timeout-ms': 6_000,
          'max-outage-ms': 500,
        });
        const send = (partition: number, start: number, end: number) =>
          publisher.send(
            numbers(start, end).map((id) => ({
              topic,
              partition,
              key: null,
              value: Buffer.from(JSON.stringify({ id, x: 1, y: 0 })),
            })),
          );
        const ready = async () => {
          const response = await fetch(`${await member.url()}/health/ready`);
          return (await response.json()) as { ready: boolean; live: boolean; reasons: string[] };
        };
        const spoken = () => member.lines.filter(({ reason }) => reason !== undefined);

        test.after(() => member.signal('SIGKILL'));
        await member.line('partitions assigned');
        await send(0, 0, 10);
        await until(async () => (await idsOf(`${topic}-out`)).length === 10, 'the first predictions');
        await spoil(letters);
        await publisher.send([{ topic, partition: 0, key: null, value: Buffer.from('poison') }]);
        await send(0, 10, 20);
        let report = await ready();
        // The one that says so: while attempts begin anew, the next may not.
        await until(async () => !(report = await ready()).ready, 'the member to be not ready');
        assert.match(report.reasons[0], reason);
        assert.equal(report.live, true);

        // Longer than brokers may be away; meanwhile the other partition goes on.
        const startedAt = performance.now();
        await until(() => performance.now() - startedAt > 1_000 && spoken().length >= 2, 'attempts');
        await send(1, 20, 30);
        await until(
          async () => (await idsOf(`${topic}-out`)).filter((id) => id >= 20).length >= 10,
          'the predictions of the other partition',
        );
        assert.ok(!(await ready()).ready);

        await mend(letters);
        await until(async () => (await ready()).ready, 'the member to be ready');
        await until(async () => new Set(await idsOf(`${topic}-out`)).size === 30, 'all predictions');
        const summary = await member.stop();
        assert.equal(summary['deadLetters'], 1);
        assert.deepEqual(await valuesOf(letters), ['poison']);
        const ids = await idsOf(`${topic}-out`);
        assert.deepEqual(delivery === 'exactly-once' ? ids : [...new Set(ids)], numbers(0, 30));
      });
    }
  }
});
