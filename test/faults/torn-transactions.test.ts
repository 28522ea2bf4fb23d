import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { AccountedStream } from '../helpers/accounted-stream.js';
import type { Api, HeldFrame, TrapOptions } from '../helpers/kafka-proxy.js';
import { KillableBroker } from '../helpers/killable-broker.js';
import { assertExactlyOnce, type Judge } from '../helpers/ledger.js';
import { judgeByBatch } from '../helpers/numbered-rows.js';
import { ServingProcess } from '../helpers/serving-process.js';
import { saveSignBundle } from '../helpers/sign-bundle.js';
import { isFull } from '../helpers/test-size.js';
import { missingTool } from '../helpers/tool.js';

const numPartitions = 2;
const rowsPerSecond = 200;
const maxRows = 40_000;
/** Transactions that pass before one is held. */
const skip = 5;
/** The broker gives an open transaction up after the 30 s that a member asks for, and looks every half second. */
const givenUpMs = 31_000;
/** What takes long and shows little more than its neighbours. */
const skipInSmall = isFull ? false : 'runs in full only';

describe('no transaction is torn', { skip: missingTool('kcat') }, () => {
  let model: string;
  let judge: Judge;
  let broker: KillableBroker;
  before(async () => {
    [model, broker] = await Promise.all([saveSignBundle(), KillableBroker.start()]);
    judge = await judgeByBatch(model, maxRows);
  });
  after(() => broker?.close());

  /** A stream under load with one member, which is stopped in the middle of a transaction: one request is held. */
  async function holdMember(t: TestContext, trap: Pick<TrapOptions, 'api' | 'on'>) {
    const stream = await AccountedStream.open(broker, { model, judge, numPartitions });
    const start = (name: string) => {
      const client = `${name}-${stream.memberOptions.topic}`;
      const member = new ServingProcess({
        ...stream.memberOptions,
        'session-timeout-ms': 3_000,
        'client-id': client,
      });
      t.after(() => member.signal('SIGKILL'));
      return { member, client };
    };
    t.after(() => stream.abandon());
    const { member, client } = start('first');
    await member.line('partitions assigned');
    const holding = broker.proxy.hold({ ...trap, client, skip });
    let isDone = false;
    const loading = stream.load.run(rowsPerSecond, () => !isDone);
    /** Ends the load, and with it the members, once everything is answered. */
    const finish = async (...members: readonly ServingProcess[]) => {
      await stream.untilFlowing();
      isDone = true;
      await loading;
      await stream.untilAnswered();
      for (const each of members) await each.stop();
      assertExactlyOnce(await stream.close());
    };
    return { stream, member, client, held: await holding, startHeir: () => start('heir').member, finish };
  }

  /** Lets a request arrive that was held, and waits until the broker has answered it. */
  async function releaseUntilAnswered(held: HeldFrame, api: Api, client: string): Promise<void> {
    const { correlationId } = held.request;
    const isItsAnswer = (request: HeldFrame['request']) => request.correlationId === correlationId;
    const answering = broker.proxy.hold({ api, client, on: 'response', where: isItsAnswer });
    held.release();
    (await answering).release();
  }

  /** In the order of a transaction. */
  const requests: readonly Api[] = [
    'AddOffsetsToTxn',
    'TxnOffsetCommit',
    'AddPartitionsToTxn',
    'Produce',
    'EndTxn',
  ];
  const held = isFull ? requests : requests.filter((api) => ['TxnOffsetCommit', 'EndTxn'].includes(api));

  describe('when a request arrives late', { concurrency: 3 }, () => {
    for (const api of held) {
      it(`after another member has taken over: ${api}`, async (t) => {
        const { stream, member, client, held, startHeir, finish } = await holdMember(t, {
          api,
          on: 'request',
        });
        member.signal('SIGSTOP');
        const heir = startHeir();
        await heir.line('partitions assigned');
        await stream.untilFlowing();
        await releaseUntilAnswered(held, api, client);
        await stream.untilFlowing();
        member.signal('SIGCONT');
        await finish(member, heir);
      });
    }

    it('after the member has given it up and begun anew', async (t) => {
      const { member, client, held, finish } = await holdMember(t, { api: 'EndTxn', on: 'request' });
      await member.line('the partition begins anew');
      await releaseUntilAnswered(held, 'EndTxn', client);
      await finish(member);
    });

    it('after the broker has given the transaction up', { skip: skipInSmall }, async (t) => {
      const { member, client, held, finish } = await holdMember(t, { api: 'EndTxn', on: 'request' });
      member.signal('SIGSTOP');
      await delay(givenUpMs);
      await releaseUntilAnswered(held, 'EndTxn', client);
      member.signal('SIGCONT');
      await finish(member);
    });
  });

  describe('when the broker dies', () => {
    it('between the last record of a transaction and its end', async (t) => {
      const { member, held, finish } = await holdMember(t, { api: 'EndTxn', on: 'request' });
      await broker.kill();
      held.drop();
      await broker.restart();
      await finish(member);
    });

    it('before it can say that the transaction has ended', async (t) => {
      const { member, held, finish } = await holdMember(t, { api: 'EndTxn', on: 'response' });
      await broker.kill();
      held.drop();
      await broker.restart();
      await finish(member);
    });

    it('in the middle of a transaction, and the member with it', { skip: skipInSmall }, async (t) => {
      const { member, held, startHeir, finish } = await holdMember(t, { api: 'EndTxn', on: 'request' });
      member.signal('SIGKILL');
      await Promise.all([broker.kill(), member.exit()]);
      held.drop();
      await broker.restart();
      const heir = startHeir();
      await finish(heir);
      assert.equal(await heir.exit(), 0);
    });
  });
});
