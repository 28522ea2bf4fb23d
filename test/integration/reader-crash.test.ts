import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import kafkajs, { type AclResourceTypes } from 'kafkajs';
import { startEmbeddedBroker, type EmbeddedBroker } from '../../deploy/embedded-broker/embedded-broker.js';
import { cacheFolder } from '../../src/config/cache-folder.js';
import { readEnvironment } from '../../src/config/environment.js';
import { compileOptions } from '../../src/config/options.js';
import { connect, connectionOptions } from '../../src/stream/client/connection.js';
import { ensureTopics, withAdmin } from '../../src/stream/topics/topics.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { testBrokers, uniqueName } from '../helpers/broker.js';
import { ServingProcess } from '../helpers/serving-process.js';
import { saveSignBundle } from '../helpers/sign-bundle.js';
import { testClient } from '../helpers/stream-client.js';
import { missingTool } from '../helpers/tool.js';

/** Waits for the end of a process, which is its crash, and gives what it said. */
async function crashOf(serving: ServingProcess): Promise<string> {
  assert.equal(await serving.exit(), 1);
  return serving.message;
}

describe('millrace serve ends with code 1 and says what to do', { skip: missingTool('kcat') }, () => {
  const client = testClient();
  const kcat = (...args: readonly string[]) => spawn('kcat', ['-b', testBrokers().join(','), ...args]);

  it('when programs of another kind share the group', async () => {
    const [topic, group] = [uniqueName('crash'), uniqueName('group')];
    await ensureTopics(client, [{ topic }], { create: true });
    const other = kcat('-G', group, topic);
    try {
      // It says so on standard error when it has its partitions.
      await once(other.stderr, 'data');
      const model = await saveSignBundle();
      const serving = new ServingProcess({ model, topic, group, output: `${topic}-out` });
      assert.match(
        await crashOf(serving),
        /^millrace: .*choose another --group\. \[MILLRACE_CONSUMER_CRASHED\]\n$/,
      );
    } finally {
      other.kill();
    }
  });
});

describe('millrace serve on a broker that asks who may read', () => {
  let broker: EmbeddedBroker | undefined;
  before(async () => {
    broker = await startEmbeddedBroker({
      cacheFolder: cacheFolder(readEnvironment()['MILLRACE_CACHE']),
      listeners: ['SASL_PLAINTEXT'],
      properties: {
        'sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.sasl_plaintext.plain.sasl.jaas.config':
          'org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="right";',
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS',
      },
    });
  });
  after(() => broker?.stop());

  it('ends with code 1 and says what to allow when the right to read is taken while it runs', async () => {
    const options = compileOptions(connectionOptions, { flags: { brokers: broker!.brokers.join(',') } });
    const client = connect(options, createLogger({ name: 'test', level: 'silent' }));
    await ensureTopics(client, [{ topic: 'observations' }], { create: true });
    const everything = (resourceType: AclResourceTypes, resourceName: string) => ({
      resourceType,
      resourceName,
      resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
      principal: 'User:alice',
      host: '*',
      operation: kafkajs.AclOperationTypes.ALL,
      permissionType: kafkajs.AclPermissionTypes.ALLOW,
    });
    const group = everything(kafkajs.AclResourceTypes.GROUP, 'scoring');
    await withAdmin(client, 'Allowing', (admin) =>
      admin.createAcls({
        acl: [
          group,
          everything(kafkajs.AclResourceTypes.TOPIC, '*'),
          everything(kafkajs.AclResourceTypes.CLUSTER, 'kafka-cluster'),
          everything(kafkajs.AclResourceTypes.TRANSACTIONAL_ID, '*'),
        ],
      }),
    );
    const serving = new ServingProcess({
      model: await saveSignBundle(),
      group: 'scoring',
      brokers: broker!.addresses.SASL_PLAINTEXT!,
      'sasl-mechanism': 'plain',
      'sasl-username': 'alice',
      'sasl-password': 'right',
    });
    await serving.line('partitions assigned');
    await withAdmin(client, 'Forbidding', (admin) => admin.deleteAcls({ filters: [group] }));
    assert.match(
      await crashOf(serving),
      /allow READ on the group "scoring", or choose another --group\. \[MILLRACE_CONSUMER_CRASHED\]\n$/,
    );
  });
});
