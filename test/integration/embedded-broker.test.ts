import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import { startEmbeddedBroker } from '../../deploy/embedded-broker/embedded-broker.js';
import { freePorts } from '../../deploy/embedded-broker/free-ports.js';
import { brokerAnswers } from '../../deploy/embedded-broker/readiness.js';
import { cacheFolder } from '../../src/config/cache-folder.js';
import { readEnvironment } from '../../src/config/environment.js';
import { compileOptions } from '../../src/config/options.js';
import { connect, connectionOptions } from '../../src/stream/client/connection.js';
import { ensureTopics } from '../../src/stream/topics/topics.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { uniqueName } from '../helpers/broker.js';
import { until, untilGone } from '../helpers/processes.js';
import { scratchFolder } from '../helpers/scratch.js';

const cache = cacheFolder(readEnvironment()['MILLRACE_CACHE']);
const logger = createLogger({ name: 'test', level: 'silent' });

function client(flags: Record<string, unknown>) {
  return connect(compileOptions(connectionOptions, { flags }), logger);
}

const portOf = (address: string) => Number(address.split(':')[1]);

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

/** A process that owns a broker, and the processes that stand between it and Java. */
async function startOwner(t: TestContext) {
  const program = fileURLToPath(new URL('../helpers/broker-owner.js', import.meta.url));
  const owner = spawn(process.execPath, [program, cache], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => owner.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string];
  const { brokers } = JSON.parse(line) as { brokers: string[] };
  const [guardian] = childrenOf(owner.pid!);
  const java = childrenOf(guardian).find((pid) => commandOf(pid).includes('kafka.Kafka'));
  assert.ok(java !== undefined, 'Java is a child of the guardian');
  const folder = /(\S+)\/server\.properties/.exec(commandOf(java))![1];
  return { owner, guardian, java, folder, port: portOf(brokers[0]) };
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
}

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
}

describe('the embedded broker', () => {
  it('serves clients once it has started, and leaves nothing behind but its log', async () => {
    const broker = await startEmbeddedBroker({ cacheFolder: cache });
    await ensureTopics(client({ brokers: broker.brokers }), [{ topic: uniqueName('first') }], {
      create: true,
    });
    await broker.stop();
    await broker.ended;
    assert.equal(await isOpen(portOf(broker.brokers[0])), false);
    assert.equal(await brokerAnswers(portOf(broker.brokers[0])), false);
    const log = readFileSync(broker.logFile, 'utf8');
    const folder = /log\.dirs = (\S+)\/data/.exec(log)![1];
    assert.equal(existsSync(folder), false);
    assert.match(log, /Kafka Server started/);
  });

  it('keeps its data on purpose, through a crash as well', async (t) => {
    const dataFolder = scratchFolder(t);
    const [port] = await freePorts(1);
    const topic = uniqueName('kept');
    // The controller soon takes the one that crashed for gone.
    const properties = { 'broker.session.timeout.ms': 2_000, 'broker.heartbeat.interval.ms': 500 };
    const options = { cacheFolder: cache, dataFolder, port, properties };
    const first = await startEmbeddedBroker(options);
    assert.deepEqual(first.brokers, [`127.0.0.1:${port}`]);
    await ensureTopics(client({ brokers: first.brokers }), [{ topic }], { create: true });
    await first.kill();
    const second = await startEmbeddedBroker(options);
    await ensureTopics(client({ brokers: second.brokers }), [{ topic }], { create: false });
    await second.stop();
  });

  it('has further listeners with properties of their own', async () => {
    const login =
      'org.apache.kafka.common.security.plain.PlainLoginModule required user_ada="lovelace" username="ada" password="lovelace";';
    const broker = await startEmbeddedBroker({
      cacheFolder: cache,
      listeners: ['SASL_PLAINTEXT'],
      properties: {
        'sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.sasl_plaintext.plain.sasl.jaas.config': login,
      },
    });
    const sasl = { brokers: broker.addresses.SASL_PLAINTEXT, saslMechanism: 'plain', saslUsername: 'ada' };
    await ensureTopics(client({ ...sasl, saslPassword: 'lovelace' }), [], { create: false });
    await assert.rejects(ensureTopics(client({ ...sasl, saslPassword: 'wrong' }), [], { create: false }), {
      code: 'MILLRACE_BROKER_UNAVAILABLE',
    });
    await broker.stop();
  });

  it('shows the end of its log when it cannot start', async () => {
    const properties = { 'process.roles': 'nonsense' };
    await assert.rejects(startEmbeddedBroker({ cacheFolder: cache, properties }), (error) => {
      const { code, message, facts } = error as { code: string; message: string; facts: { logFile: string } };
      assert.equal(code, 'MILLRACE_EMBEDDED_BROKER_FAILED');
      assert.match(message, /ended before it was ready/);
      assert.match(message, /nonsense/);
      assert.ok(existsSync(facts.logFile));
      return true;
    });
  });
});

const skip = process.platform === 'linux' ? false : 'processes are looked at in /proc';

describe('a broker whose owner is killed', { skip }, () => {
  it('ends, frees its port and removes its data', async (t) => {
    const { owner, guardian, java, folder, port } = await startOwner(t);
    assert.ok(existsSync(folder));
    owner.kill('SIGKILL');
    await untilGone(guardian, java);
    await until(() => !existsSync(folder), 'the data to be removed');
    assert.equal(await isOpen(port), false);
  });

  it('ends when its guardian is killed instead', async (t) => {
    const { guardian, java, folder, port } = await startOwner(t);
    process.kill(guardian, 'SIGKILL');
    await untilGone(guardian, java);
    await until(() => !existsSync(folder), 'the data to be removed');
    assert.equal(await isOpen(port), false);
  });

  it('ends when both are killed at once', async (t) => {
    const { owner, guardian, java, folder, port } = await startOwner(t);
    process.kill(guardian, 'SIGKILL');
    owner.kill('SIGKILL');
    await untilGone(guardian, java);
    await until(() => !existsSync(folder), 'the data to be removed');
    assert.equal(await isOpen(port), false);
  });
});
