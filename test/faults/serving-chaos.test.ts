import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../../src/simulation/random.js';
import { AccountedStream } from '../helpers/accounted-stream.js';
import { KillableBroker } from '../helpers/killable-broker.js';
import { assertAtLeastOnce, assertExactlyOnce, type Judge } from '../helpers/ledger.js';
import { judgeByBatch } from '../helpers/numbered-rows.js';
import { ServingCluster } from '../helpers/serving-cluster.js';
import { saveSignBundle } from '../helpers/sign-bundle.js';
import { isFull, seeds } from '../helpers/test-size.js';
import { missingTool } from '../helpers/tool.js';

const numPartitions = 4;
const numMembers = 3;
const sessionTimeoutMs = 6_000;
const size = isFull ? { rows: 200_000, rowsPerSecond: 1_200 } : { rows: 6_000, rowsPerSecond: 250 };
/** Rows come until the last fault is over, which takes many times as long where the machine is busy. */
const maxRows = isFull ? 3 * size.rows : 20 * size.rows;
/** Rows are answered at the latest so long after they came in, not counting the time that the broker was away. */
const maxRecoveryMs = 30_000;

const faultKinds = ['kill', 'freeze', 'add', 'remove', 'kill the broker'] as const;
type FaultKind = (typeof faultKinds)[number];
/** What makes a member answer again what was answered. */
const repeatingKinds: readonly FaultKind[] = ['kill', 'freeze'];

describe('serving, while its members and its broker die,', { skip: missingTool('kcat') }, () => {
  let model: string;
  let judge: Judge;
  let broker: KillableBroker;
  before(async () => {
    [model, broker] = await Promise.all([saveSignBundle(), KillableBroker.start()]);
    judge = await judgeByBatch(model, maxRows);
  });
  after(() => broker?.close());

  /** Answers rows in a group to which things are done that are drawn from the seed; gives its ledger. */
  async function runChaos(t: TestContext, seed: number, delivery: string, kinds: readonly FaultKind[]) {
    const random = new Random(seed);
    const stream = await AccountedStream.open(broker, { model, judge, numPartitions });
    const all = { ...stream.memberOptions, 'session-timeout-ms': sessionTimeoutMs, delivery };
    const cluster = new ServingCluster(all, random);
    t.after(async () => {
      cluster.abandon();
      await stream.abandon();
    });
    for (let member = 0; member < numMembers; member++) await cluster.add();

    let isDone = false;
    const hasLoadedAll = () => stream.load.numRows >= size.rows;
    const loading = stream.load.run(size.rowsPerSecond, () => !isDone || !hasLoadedAll());
    await stream.untilFlowing();
    stream.ledger.takeLongestWaitMs();
    const recoveries: { readonly what: string; readonly recoveryMs: number }[] = [];
    for (const kind of scheduleOf(random, kinds, () => isFull && !hasLoadedAll())) {
      const { what, outageMs = 0 } = await doFault(kind, { cluster, random });
      await stream.untilFlowing();
      cluster.check();
      await delay(random.uniform(500, 2_500));
      const recoveryMs = Math.max(0, stream.ledger.takeLongestWaitMs() - outageMs);
      recoveries.push({ what, recoveryMs });
      t.diagnostic(`seed ${seed}: ${what}; rows waited ${Math.round(recoveryMs)} ms at most`);
    }
    isDone = true;
    await loading;
    await stream.untilAnswered();
    await cluster.stop();
    const report = await stream.close();
    t.diagnostic(`seed ${seed}: ${JSON.stringify(report)}`);
    return { report, recoveries };
  }

  function assertBounded(recoveries: Awaited<ReturnType<typeof runChaos>>['recoveries']): void {
    for (const { what, recoveryMs } of recoveries) {
      assert.ok(recoveryMs < maxRecoveryMs, `${what}: a row waited ${recoveryMs} ms`);
    }
  }

  /** Every kind once, in any order, and then more of them while there is time. */
  function* scheduleOf(random: Random, kinds: readonly FaultKind[], goesOn: () => boolean) {
    const left = [...kinds];
    while (left.length > 0) yield* left.splice(Math.floor(random.uniform(0, left.length)), 1);
    while (goesOn()) yield kinds[Math.floor(random.uniform(0, kinds.length))];
  }

  /** Does it, and says what was done, and how long the broker was away. */
  async function doFault(
    kind: FaultKind,
    { cluster, random }: { cluster: ServingCluster; random: Random },
  ): Promise<{ what: string; outageMs?: number }> {
    switch (kind) {
      case 'kill':
        return { what: `${await cluster.kill()} was killed, ${await cluster.add()} started` };
      case 'freeze': {
        const frozen = cluster.freeze();
        const frozenMs = Math.round(sessionTimeoutMs + random.uniform(1_000, 3_000));
        await delay(frozenMs);
        frozen.thaw();
        return { what: `${frozen.name} stood still for ${frozenMs} ms` };
      }
      case 'add':
        return { what: `${await cluster.add()} was added` };
      case 'remove':
        // Never the last one.
        if (cluster.size === 1) return doFault('add', { cluster, random });
        return { what: `${await cluster.remove()} was removed` };
      case 'kill the broker': {
        const killedAt = performance.now();
        await broker.kill();
        await broker.restart();
        const outageMs = performance.now() - killedAt;
        return { what: `the broker was killed and was away for ${Math.round(outageMs)} ms`, outageMs };
      }
    }
  }

  for (const seed of seeds(isFull ? 10 : 1)) {
    it(`answers every row exactly once (seed ${seed})`, async (t) => {
      const { report, recoveries } = await runChaos(t, seed, 'exactly-once', faultKinds);
      assertExactlyOnce(report);
      assertBounded(recoveries);
    });
  }

  for (const seed of seeds(isFull ? 3 : 1)) {
    it(`answers every row at least once, and always the same, when asked to (seed ${seed})`, async (t) => {
      const kinds = isFull ? faultKinds : repeatingKinds;
      const { report, recoveries } = await runChaos(t, seed, 'at-least-once', kinds);
      assertAtLeastOnce(report);
      assertBounded(recoveries);
    });
  }
});
