import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Random } from '../../src/simulation/random.js';
import { ensureTopics } from '../../src/stream/topics/topics.js';
import { uniqueName } from '../helpers/broker.js';
import { CommittedReader } from '../helpers/committed-reader.js';
import { headerOf, jsonOf, readTopic } from '../helpers/kcat.js';
import { KillableBroker } from '../helpers/killable-broker.js';
import { runProgram, startProgram } from '../helpers/program.js';
import { scratchFolder } from '../helpers/scratch.js';
import { isFull, seeds } from '../helpers/test-size.js';
import { missingTool } from '../helpers/tool.js';

const size = isFull
  ? { rows: 300_000, kills: 20, brokerKills: 4 }
  : { rows: 30_000, kills: 5, brokerKills: 1 };
const numPartitions = 3;
const numKeys = 50;
/** One row of so many lacks a field. */
const poisonInterval = 97;
const header = 'id,group,text\n';
const isPoison = (id: number) => id % poisonInterval === 0;
/** Quotes and line ends within them, so that rows are found again in the middle of a file only by knowing the place. */
const csvRow = (id: number) => (isPoison(id) ? `${id}\n` : `${id},${id % numKeys},"row\n""${id}"""\n`);

/** Three files, the second one packed. */
function writeRows(t: TestContext): string[] {
  const folder = scratchFolder(t);
  const third = Math.ceil(size.rows / 3);
  return ['a.csv', 'b.csv.gz', 'c.csv'].map((name, index) => {
    const ids = Array.from(
      { length: Math.min(third, size.rows - index * third) },
      (_, i) => index * third + i,
    );
    const text = header + ids.map(csvRow).join('');
    writeFileSync(join(folder, name), index === 1 ? gzipSync(text) : text);
    return join(folder, name);
  });
}

describe('producing, while the producer and its broker die,', { skip: missingTool('kcat') }, () => {
  let broker: KillableBroker;
  before(async () => {
    broker = await KillableBroker.start();
  });
  after(() => broker.close());

  /** Runs one job again and again and kills it at moments drawn from the seed, then once to its end. */
  async function runAndKill(
    t: TestContext,
    random: Random,
    args: readonly string[],
    numCommitted: () => number,
  ): Promise<void> {
    const environment = { MILLRACE_BROKERS: broker.address };
    const withBroker = new Set<number>();
    while (withBroker.size < size.brokerKills) withBroker.add(Math.floor(random.uniform(0, size.kills)));
    for (let kill = 0; kill < size.kills; kill++) {
      const rate = String(Math.round(10 ** random.uniform(3, 4.5)));
      const { child, result } = startProgram(['produce', ...args, '--rate', rate], environment);
      t.after(() => child.kill('SIGKILL'));
      // Some die while they start, most while they write.
      if (random.chance(0.2)) await delay(random.uniform(500, 2_000));
      else await untilCommitting(child, numCommitted);
      await delay(random.uniform(0, 2_000));
      if (withBroker.has(kill)) {
        await broker.kill();
        if (random.chance(0.5)) child.kill('SIGKILL');
        await broker.restart();
        await untilCommitting(child, numCommitted);
        await delay(random.uniform(0, 2_000));
      }
      child.kill('SIGKILL');
      const { code, stderr } = await result;
      const place = /^Going on at \S+\/(\S+): /m.exec(stderr)?.[1] ?? 'the beginning';
      const end = code === null ? 'killed' : `ended with ${code}`;
      t.diagnostic(`run ${kill + 1} at ${rate} rows/s went on at ${place}, ${end}; ${numCommitted()} rows`);
    }
    const { code, stderr } = await runProgram(['produce', ...args], environment);
    assert.ok(code === 3 || code === 0, stderr);
  }

  /** Waits until a transaction more is committed, or the process has ended. */
  async function untilCommitting(child: ChildProcess, numCommitted: () => number): Promise<void> {
    const before = numCommitted();
    const isAlive = () => child.exitCode === null && child.signalCode === null;
    while (numCommitted() === before && isAlive()) await delay(10);
  }

  for (const seed of seeds(isFull ? 5 : 1)) {
    it(`writes each row once, in order within its key, and each reject once (seed ${seed})`, async (t) => {
      const random = new Random(seed);
      const topic = uniqueName('killed');
      const rejects = random.chance(0.5) ? join(scratchFolder(t), 'rejects.csv') : undefined;
      await ensureTopics(broker.client(), [{ topic, numPartitions }], { create: true });
      let numCommitted = 0;
      const reader = new CommittedReader(broker.address, topic, () => numCommitted++);
      t.after(() => reader.close());
      const args = [...writeRows(t), '--topic', topic, '--key', 'group'];
      if (rejects !== undefined) args.push('--rejects', rejects);
      await runAndKill(t, random, args, () => numCommitted);

      const newest = new Map<string, { id: number; partition: number }>();
      const seen = new Set<number>();
      for (const record of await readTopic(topic, [broker.address])) {
        const { id, group, text } = jsonOf<{ id: number; group: number; text: string }>(record);
        assert.ok(!seen.has(id), `row ${id} is there twice`);
        seen.add(id);
        assert.deepEqual(
          [String(record.key), group, text],
          [String(id % numKeys), id % numKeys, `row\n"${id}"`],
        );
        const before = newest.get(String(record.key)) ?? { id: -1, partition: record.partition };
        assert.ok(before.id < id, `row ${id} stands behind row ${before.id}`);
        assert.equal(record.partition, before.partition, `row ${id} is in another partition than its key`);
        newest.set(String(record.key), { id, partition: record.partition });
      }
      // Who reads all the while sees the same.
      while (numCommitted < seen.size) {
        reader.check();
        await delay(10);
      }
      assert.equal(numCommitted, seen.size);
      const poison = Array.from({ length: size.rows }, (_, id) => id).filter(isPoison);
      assert.equal(seen.size, size.rows - poison.length);
      assert.ok(poison.every((id) => !seen.has(id)));
      if (rejects === undefined) {
        const letters = await readTopic(`${topic}.dlq`, [broker.address]);
        assert.deepEqual(
          letters.map(({ value }) => Number.parseInt(String(value))).toSorted((a, b) => a - b),
          poison,
        );
        assert.ok(
          letters.every((letter) => headerOf(letter, 'millrace.error.code') === 'MILLRACE_ROW_FIELD_COUNT'),
        );
      } else {
        assert.equal(readFileSync(rejects, 'utf8'), header + poison.map(csvRow).join(''));
      }
    });
  }
});
