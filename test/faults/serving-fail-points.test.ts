import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { AccountedStream } from '../helpers/accounted-stream.js';
import type { TrapOptions } from '../helpers/kafka-proxy.js';
import { KillableBroker } from '../helpers/killable-broker.js';
import { assertAtLeastOnce, assertExactlyOnce, type Judge, type LedgerReport } from '../helpers/ledger.js';
import { judgeByBatch } from '../helpers/numbered-rows.js';
import { ServingProcess } from '../helpers/serving-process.js';
import { saveSignBundle } from '../helpers/sign-bundle.js';
import { missingTool } from '../helpers/tool.js';

const numPartitions = 2;
const numRows = 1_000;
/** By then the fail point must have been reached. */
const maxRows = 5_000;
const rowsPerSecond = 500;

/** Where a member dies: in its own code, or when the broker is about to get a request of it, or it a response. */
type FailPoint = { readonly preloaded: string } | Pick<TrapOptions, 'api' | 'on'>;
type FailPoints = Readonly<Record<string, FailPoint>>;

const insideTheMember: FailPoints = {
  'after a fetch': { preloaded: 'crash-after-fetch' },
  'after the model has answered': { preloaded: 'crash-after-predict' },
  'before the answers are written': { api: 'Produce', on: 'request' },
  'after the answers are written': { api: 'Produce', on: 'response' },
};

const modes: readonly {
  readonly delivery: string;
  readonly assertDelivered: (report: LedgerReport) => void;
  readonly failPoints: FailPoints;
}[] = [
  {
    delivery: 'exactly-once',
    assertDelivered: assertExactlyOnce,
    failPoints: {
      ...insideTheMember,
      'before a transaction is prepared': { api: 'AddPartitionsToTxn', on: 'request' },
      'before the offsets join the transaction': { api: 'TxnOffsetCommit', on: 'request' },
      'after the offsets joined the transaction': { api: 'TxnOffsetCommit', on: 'response' },
      'before the end of the transaction': { api: 'EndTxn', on: 'request' },
      'after the end of the transaction': { api: 'EndTxn', on: 'response' },
    },
  },
  {
    delivery: 'at-least-once',
    assertDelivered: assertAtLeastOnce,
    failPoints: {
      ...insideTheMember,
      'before the commit': { api: 'OffsetCommit', on: 'request' },
      'after the commit': { api: 'OffsetCommit', on: 'response' },
    },
  },
];

describe('a member that dies', { skip: missingTool('kcat') }, () => {
  let model: string;
  let judge: Judge;
  let broker: KillableBroker;
  before(async () => {
    [model, broker] = await Promise.all([saveSignBundle(), KillableBroker.start()]);
    judge = await judgeByBatch(model, 2 * maxRows);
  });
  after(() => broker?.close());

  /** Lets a member die at the fail point under load, has another one go on, and gives the ledger. */
  async function dieAt(t: TestContext, point: FailPoint, options: Readonly<Record<string, string>>) {
    const stream = await AccountedStream.open(broker, { model, judge, numPartitions });
    const all = { ...stream.memberOptions, 'session-timeout-ms': 3_000, ...options };
    const preloaded =
      'preloaded' in point ? new URL(`../helpers/preload/${point.preloaded}.js`, import.meta.url) : undefined;
    const victim = `victim-${stream.memberOptions.topic}`;
    const first = new ServingProcess({ ...all, 'client-id': victim }, preloaded);
    t.after(async () => {
      first.signal('SIGKILL');
      await stream.abandon();
    });
    if ('api' in point) {
      void broker.proxy.hold({ ...point, client: victim, skip: 3 }).then(async (held) => {
        first.signal('SIGKILL');
        await first.exit();
        held.drop();
      });
    }
    await first.line('partitions assigned');
    const loading = stream.load.run(rowsPerSecond, () => {
      return stream.load.numRows < numRows || (!first.hasEnded && stream.load.numRows < maxRows);
    });
    await Promise.race([first.exit(), loading]);
    assert.ok(first.hasEnded, 'the fail point was reached');
    assert.equal(await first.exit(), 'SIGKILL', first.message);
    const second = new ServingProcess({ ...all, 'client-id': 'heir' });
    t.after(() => second.signal('SIGKILL'));
    await loading;
    await stream.untilAnswered();
    await second.stop();
    return stream.close();
  }

  for (const { delivery, assertDelivered, failPoints } of modes) {
    describe(`with delivery ${delivery}`, { concurrency: 3 }, () => {
      for (const [place, point] of Object.entries(failPoints)) {
        it(`${place} leaves nothing undone`, async (t) =>
          assertDelivered(await dieAt(t, point, { delivery })));
      }
    });
  }
});
