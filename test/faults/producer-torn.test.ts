import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureTopics } from '../../src/stream/topics/topics.js';
import { uniqueName } from '../helpers/broker.js';
import type { Api, TrapOptions } from '../helpers/kafka-proxy.js';
import { jsonOf, readTopic } from '../helpers/kcat.js';
import { KillableBroker } from '../helpers/killable-broker.js';
import { startProgram } from '../helpers/program.js';
import { scratchFolder } from '../helpers/scratch.js';
import { missingTool } from '../helpers/tool.js';

const numRows = 6_000;
/** Enough for some transactions before and behind the one that is held. */
const rowsPerSecond = '1500';
/** The broker gives an open transaction up after the 30 s that a producer asks for, and looks every half second. */
const givenUpMs = 31_000;

describe('a producer, when a transaction hangs,', { skip: missingTool('kcat'), concurrency: 5 }, () => {
  let broker: KillableBroker;
  before(async () => {
    broker = await KillableBroker.start();
  });
  after(() => broker.close());

  /** A producer that is stopped in the middle of its third transaction: one request or response is held. */
  async function holdProducer(t: TestContext, trap: Pick<TrapOptions, 'api' | 'on'>) {
    const topic = uniqueName('torn');
    await ensureTopics(broker.client(), [{ topic, numPartitions: 2 }], { create: true });
    const file = join(scratchFolder(t), 'rows.csv');
    writeFileSync(file, `id\n${Array.from({ length: numRows }, (_, id) => id).join('\n')}\n`);
    const start = (address: string, ...more: string[]) => {
      const args = ['produce', file, '--topic', topic, '--key', 'id', '--brokers', address, ...more];
      const { child, result } = startProgram(args);
      t.after(() => child.kill('SIGKILL'));
      return result;
    };
    const client = `first-${topic}`;
    const holding = broker.proxy.hold({ ...trap, client, skip: 2 });
    const first = start(broker.proxied, '--client-id', client, '--rate', rowsPerSecond);
    const held = await holding;
    const assertExactlyOnce = async () => {
      const ids = (await readTopic(topic, [broker.address])).map(
        (record) => jsonOf<{ id: number }>(record).id,
      );
      assert.deepEqual(
        ids.toSorted((a, b) => a - b),
        Array.from({ length: numRows }, (_, id) => id),
      );
    };
    return { first, held, startSecond: () => start(broker.address), assertExactlyOnce };
  }

  it('does not write again what was committed when the answer to it is lost', async (t) => {
    const { first, held, assertExactlyOnce } = await holdProducer(t, { api: 'EndTxn', on: 'response' });
    held.drop();
    const { code, stderr } = await first;
    assert.equal(code, 0, stderr);
    await assertExactlyOnce();
  });

  it('goes on when the broker has given the transaction up', async (t) => {
    const { first, held, assertExactlyOnce } = await holdProducer(t, { api: 'EndTxn', on: 'request' });
    await delay(givenUpMs);
    held.release();
    const { code, stderr } = await first;
    assert.equal(code, 0, stderr);
    await assertExactlyOnce();
  });

  const lateRequests: readonly Api[] = ['AddPartitionsToTxn', 'Produce', 'EndTxn'];
  for (const api of lateRequests) {
    it(`ends when another run has taken the job before a request arrives: ${api}`, async (t) => {
      const { first, held, startSecond, assertExactlyOnce } = await holdProducer(t, { api, on: 'request' });
      const second = await startSecond();
      assert.equal(second.code, 0, second.stderr);
      held.release();
      const { code, stderr } = await first;
      assert.equal(code, 1, stderr);
      assert.match(stderr, /\[MILLRACE_JOB_TAKEN_OVER\]\n$/);
      await assertExactlyOnce();
    });
  }
});
