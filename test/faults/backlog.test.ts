import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureTopics } from '../../src/stream/topics/topics.js';
import { uniqueName } from '../helpers/broker.js';
import { KillableBroker } from '../helpers/killable-broker.js';
import { cpuSeconds, residentMb, slope, wakeUps } from '../helpers/process-usage.js';
import { RowLoad } from '../helpers/row-load.js';
import { scratchFolder } from '../helpers/scratch.js';
import { ServingProcess } from '../helpers/serving-process.js';
import { saveSignBundle } from '../helpers/sign-bundle.js';
import { isFull } from '../helpers/test-size.js';
import { missingTool } from '../helpers/tool.js';
import { saveWideBundle, wideRowValue } from '../helpers/wide-rows.js';

const numPartitions = 4;
/** More than a million rows wait until the end in full. The small setting has small bounds, which are filled within seconds. */
const backlog = isFull
  ? { rows: 2_500_000, durationMs: 600_000, maxInFlightRows: 40_000, maxBatchRows: 8_192 }
  : { rows: 100_000, durationMs: 15_000, maxInFlightRows: 8_000, maxBatchRows: 2_048 };
/** Until then code and buffers find their size: every place for a row that may be in flight has been used, and used again. */
const warmUpRows = 3 * backlog.maxInFlightRows;
const idleMs = isFull ? 60_000 : 10_000;
const sampleMs = 250;
/** What counts as flat: in the small setting, what a heap swings by. */
const maxGrowthMb = isFull ? 20 : 60;
/** As long as Kubernetes waits for a probe; one in a hundred may be slower, as when the whole machine is busy. */
const maxHealthMs = 1_000;
/** Of one core, beyond what the machine charges for as many wake-ups. The timers of the client alone, without idle-timer.ts, take 4 %. */
const maxIdleShare = 0.01;
/** A second, over all threads. */
const maxWakeUps = 10;
/** How long it may take until an idle member is idle. */
const maxSettleMs = 180_000;

const skip =
  missingTool('kcat') || (process.platform === 'linux' ? false : 'processes are measured in /proc');

describe('a serving member', { skip }, () => {
  let broker: KillableBroker;
  before(async () => {
    broker = await KillableBroker.start();
  });
  after(() => broker?.close());

  /** A new topic, and the options of a member that reads it. */
  async function newTopic(model: string) {
    const topic = uniqueName('backlog');
    await ensureTopics(broker.client(), [{ topic, numPartitions }], { create: true });
    return {
      topic,
      options: { model, topic, brokers: broker.address, output: `${topic}-out`, group: topic },
    };
  }

  function startMember(t: TestContext, options: Readonly<Record<string, string>>, preloaded?: URL) {
    const member = new ServingProcess(options, preloaded);
    t.after(() => member.signal('SIGKILL'));
    return member;
  }

  it('with a backlog that its model cannot keep up with keeps its memory, its group and its health', async (t) => {
    const { topic, options } = await newTopic(await saveWideBundle(scratchFolder(t)));
    const load = new RowLoad(broker.address, topic, wideRowValue);
    while (load.numRows < backlog.rows) await load.write(10_000);
    await load.finish();

    const bounds = {
      'max-in-flight-rows': String(backlog.maxInFlightRows),
      'max-batch-rows': String(backlog.maxBatchRows),
    };
    const member = startMember(
      t,
      { ...options, ...bounds },
      new URL('../helpers/preload/slow-model.js', import.meta.url),
    );
    await member.line('partitions assigned');
    const health = `${await member.url()}/health/ready`;
    const residents: [seconds: number, mb: number][] = [];
    const healthMs: number[] = [];
    const startedAt = performance.now();
    let warmAt: number | undefined;
    for (let now = startedAt; now < (warmAt ?? now) + backlog.durationMs; now = performance.now()) {
      const { status } = await fetch(health);
      assert.equal(status, 200);
      healthMs.push(performance.now() - now);
      if (warmAt === undefined && (await member.rows()) >= warmUpRows) warmAt = now;
      if (warmAt !== undefined) residents.push([(now - warmAt) / 1_000, residentMb(member.pid)]);
      await delay(sampleMs);
    }
    const [rows, rebalances] = [await member.rows(), await member.rebalances()];
    const seconds = residents.at(-1)![0];
    const grownMb = slope(residents) * seconds;
    healthMs.sort((a, b) => a - b);
    const [usualHealthMs, slowestHealthMs] = [healthMs[Math.floor(healthMs.length * 0.99)], healthMs.at(-1)!];
    t.diagnostic(
      `${rows} of ${backlog.rows} rows in ${Math.round((performance.now() - startedAt) / 1_000)} s; health within ${Math.round(usualHealthMs)} ms, once ${Math.round(slowestHealthMs)} ms; ` +
        `resident ${Math.round(residents[0][1])} to ${Math.round(residents.at(-1)![1])} MB, a trend of ${grownMb.toFixed(1)} MB in ${Math.round(seconds)} s`,
    );
    assert.ok(rows > 0 && rows < backlog.rows, 'it answers, and rows wait to the end');
    assert.equal(rebalances, 1);
    assert.ok(usualHealthMs < maxHealthMs, `health took ${usualHealthMs} ms`);
    assert.ok(grownMb < maxGrowthMb, `its memory grew by ${grownMb} MB`);
  });

  it('without anything to do leaves the processor alone', async (t) => {
    const { topic, options } = await newTopic(await saveSignBundle());
    const load = new RowLoad(broker.address, topic);
    await load.write(1_000);
    await load.finish();
    const member = startMember(t, options);
    await member.line('partitions assigned');
    while ((await member.rows()) < 1_000 || !(await member.isIdle())) await delay(sampleMs);
    // Where processors are shared, a wake-up may take milliseconds of a process that does nothing else.
    const peer = spawn(process.execPath, ['-e', `setInterval(() => {}, ${1_000 / maxWakeUps})`]);
    t.after(() => peer.kill('SIGKILL'));
    const pids = [member.pid, peer.pid!];
    const intervals: { readonly share: number; readonly peerShare: number; readonly wakeUps: number }[] = [];
    const isIdle = () => {
      const last = intervals.at(-1);
      return last !== undefined && last.share - last.peerShare < maxIdleShare && last.wakeUps < maxWakeUps;
    };
    // For a minute or so, what was compiled and allocated for these rows is still being tidied up.
    while (intervals.length * idleMs < maxSettleMs && !isIdle()) {
      const [before, wakeUpsBefore] = [pids.map(cpuSeconds), wakeUps(member.pid)];
      await delay(idleMs);
      const [share, peerShare] = pids.map((pid, i) => (cpuSeconds(pid) - before[i]) / (idleMs / 1_000));
      intervals.push({ share, peerShare, wakeUps: (wakeUps(member.pid) - wakeUpsBefore) / (idleMs / 1_000) });
    }
    const told = intervals.map(
      ({ share, peerShare, wakeUps }) =>
        `${(100 * share).toFixed(2)} % with ${wakeUps} wake-ups a second (a peer that only wakes ${maxWakeUps} times: ${(100 * peerShare).toFixed(2)} %)`,
    );
    t.diagnostic(`idle with ${numPartitions} partitions, every ${idleMs / 1_000} s: ${told.join(', ')}`);
    assert.ok(isIdle(), told.join(', '));
    assert.equal(Number((await member.stop())['rows']), 1_000);
  });
});
