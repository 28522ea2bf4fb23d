import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startEmbeddedBroker } from '../../deploy/embedded-broker/embedded-broker.js';
import { cacheFolder } from '../../src/config/cache-folder.js';
import { readEnvironment } from '../../src/config/environment.js';
import { compileOptions } from '../../src/config/options.js';
import { connect, connectionOptions } from '../../src/stream/client/connection.js';
import { createPublisher } from '../../src/stream/publisher/publisher.js';
import { ensureTopics } from '../../src/stream/topics/topics.js';
import type { HealthReport } from '../../src/telemetry/health.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { ServingProcess } from '../helpers/serving-process.js';
import { saveSignBundle } from '../helpers/sign-bundle.js';

/** A broker of its own that can be killed and come back with its data. */
async function startKillableBroker() {
  const dataFolder = mkdtempSync(join(tmpdir(), 'millrace-outage-'));
  const cache = cacheFolder(readEnvironment()['MILLRACE_CACHE']);
  const broker = await startEmbeddedBroker({ cacheFolder: cache, dataFolder });
  const address = broker.brokers[0];
  const restart = () =>
    startEmbeddedBroker({ cacheFolder: cache, dataFolder, port: Number(address.split(':')[1]) });
  const options = compileOptions(connectionOptions, { flags: { brokers: address } });
  const client = connect(options, createLogger({ name: 'test', level: 'silent' }));
  await ensureTopics(client, [{ topic: 'observations', numPartitions: 2 }], { create: true });
  const publish = async (start: number, count: number) => {
    const publisher = await createPublisher(client, { compression: 'none' });
    await publisher.send(
      Array.from({ length: count }, (_, index) => ({
        topic: 'observations',
        key: String(start + index),
        value: Buffer.from(JSON.stringify({ id: start + index, x: 1, y: 2 })),
      })),
    );
    await publisher.close();
  };
  return { broker, address, restart, publish };
}

describe('millrace serve, when its broker goes away,', () => {
  it('is not ready and says why, goes on when it is back, and gives up when it stays away', async () => {
    const { broker, address, restart, publish } = await startKillableBroker();
    const options = { model: await saveSignBundle(), brokers: address };
    const patient = new ServingProcess({ ...options, group: 'patient' });
    const impatient = new ServingProcess({
      ...options,
      group: 'impatient',
      'session-timeout-ms': 6_000,
      'max-outage-ms': 6_000,
    });
    await impatient.line('partitions assigned');
    await publish(0, 100);
    // With nothing to write or commit, it is the input that is missed first.
    while ((await patient.rows()) < 100 || !(await patient.isIdle())) await delay(50);
    const health = async () =>
      (await (await fetch(`${await patient.url()}/health/ready`)).json()) as HealthReport;
    assert.deepEqual((await health()).reasons, []);

    await broker.kill();
    while ((await health()).ready) await delay(50);
    const { live, reasons } = await health();
    assert.ok(live);
    assert.match(reasons.join(), /^input: .*/);
    assert.equal(await impatient.exit(), 1);
    assert.match(
      impatient.message,
      /^millrace: The group "impatient" has not answered .*CONSUMER_CRASHED\]\n$/,
    );

    const again = await restart();
    await publish(100, 100);
    while ((await patient.rows()) < 200) await delay(50);
    while (!(await health()).ready) await delay(50);
    const summary = await patient.stop();
    assert.equal(summary['rows'], 200);
    await again.stop();
  });
});
