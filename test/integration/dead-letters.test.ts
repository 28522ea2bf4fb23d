import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createPublisher, type Publisher } from '../../src/stream/publisher/publisher.js';
import { readTopic, type TopicRecord } from '../../src/stream/source/topic-reader.js';
import { ensureTopics, withAdmin } from '../../src/stream/topics/topics.js';
import { headerText } from '../../src/stream/headers.js';
import { testBrokers, uniqueName } from '../helpers/broker.js';
import { letterRecord, type LetterFacts } from '../helpers/dead-letter.js';
import { until } from '../helpers/processes.js';
import { runProgram, startProgram } from '../helpers/program.js';
import { ServingProcess } from '../helpers/serving-process.js';
import { saveSignBundle } from '../helpers/sign-bundle.js';
import { testClient } from '../helpers/stream-client.js';

const client = testClient();
const brokers = ['--brokers', testBrokers().join(',')];
const dlq = (...args: string[]) => runProgram(['dlq', ...args, ...brokers]);

async function recordsOf(topic: string): Promise<TopicRecord[]> {
  const records: TopicRecord[] = [];
  for await (const record of readTopic(client, { topic, from: 'earliest', until: 'end' }))
    records.push(record);
  return records;
}

/** Offsets of a topic's ends, summed. */
function sizeOf(topic: string): Promise<number> {
  return withAdmin(client, 'Asking for ends', async (admin) => {
    const offsets = await admin.fetchTopicOffsets(topic);
    return offsets.reduce((sum, { high }) => sum + Number(high), 0);
  });
}

describe('millrace dlq', () => {
  let publisher: Publisher;
  before(async () => {
    publisher = await createPublisher(client, { compression: 'none' });
  });
  after(() => publisher.close());

  /** A topic with dead letters about its rows, which have the numbers 0 to n - 1 as values. */
  async function newTopic(facts: (index: number) => LetterFacts, count: number): Promise<string> {
    const topic = uniqueName('dlq');
    await ensureTopics(client, [{ topic, numPartitions: 3 }, { topic: `${topic}.dlq` }], { create: true });
    const letters = Array.from({ length: count }, (_, index) => {
      const { row, ...others } = facts(index);
      const place = { topic, partition: index % 3, offset: BigInt(index), timestampMs: Date.now() - 1_000 };
      const value = Buffer.from(String(index));
      return {
        ...letterRecord({ ...others, row: { ...place, value, ...row } }),
        topic: `${topic}.dlq`,
        partition: 0,
      };
    });
    await publisher.send(letters);
    return topic;
  }

  it('lists letters by code, filtered, as a table and as JSON', async () => {
    const code = (index: number) => (index % 4 === 0 ? 'MILLRACE_ROW_EMPTY' : 'MILLRACE_ROW_UNDECODABLE');
    const topic = await newTopic((index) => ({ code: code(index), reason: `number ${index}` }), 40);
    const table = await dlq('list', topic);
    assert.equal(table.code, 0, table.stderr);
    assert.match(table.stdout, new RegExp(`^${topic}.dlq: 40 letters, 0 replayed\n`));
    assert.match(table.stdout, /^MILLRACE_ROW_UNDECODABLE +30 +0 +\S+Z +\S+Z +0-2$/m);
    const json = await dlq('list', `${topic}.dlq`, '--json', '--code', 'EMPTY', '--since', '1h');
    const { codes } = JSON.parse(json.stdout) as { codes: { code: string; numLetters: number }[] };
    assert.deepEqual(
      codes.map(({ code, numLetters }) => [code, numLetters]),
      [['MILLRACE_ROW_EMPTY', 10]],
    );
    const nothing = await dlq('list', topic, '--until', '1d');
    assert.equal(nothing.stdout, `${topic}.dlq: 0 letters, 0 replayed\n`);
    const missing = await dlq('list', uniqueName('missing'));
    assert.deepEqual([missing.code, missing.stdout], [2, '']);
    assert.match(missing.stderr, /\[MILLRACE_TOPIC_MISSING\]\n$/);
  });

  it('shows a letter by its place, and the first ones of a code', async () => {
    const topic = await newTopic((index) => ({ reason: `number ${index}` }), 30);
    const one = await dlq('show', topic, '--offset', '0/17');
    assert.match(one.stdout, /reason {6}number 17\n[^]* {2}value {7}17\n$/);
    const three = await dlq('show', topic, '--limit', '3', '--json');
    const letters = three.stdout.trim().split('\n');
    const reasons = letters.map((line) => (JSON.parse(line) as { reason: string }).reason);
    assert.deepEqual(reasons, ['number 0', 'number 1', 'number 2']);
    const beyond = await dlq('show', topic, '--offset', '0/30');
    assert.equal(beyond.code, 2);
    assert.match(beyond.stderr, /has no letter in partition 0 at offset 30/);
    const both = await dlq('show', topic, '--offset', '0/1', '--code', 'EMPTY');
    assert.match(both.stderr, /Give either --offset or --code/);
  });

  it('replays what a filter means, each row once, in any order of filters', async () => {
    const code = (index: number) => (index % 2 === 0 ? 'MILLRACE_ROW_EMPTY' : 'MILLRACE_ROW_UNDECODABLE');
    const headers = { many: ['a', 'b'] };
    const topic = await newTopic((index) => ({ code: code(index), row: { headers } }), 20);
    const dryRun = await dlq('replay', topic, '--dry-run');
    assert.match(dryRun.stdout, /^20 row\(s\) would be replayed/);
    assert.equal((await recordsOf(topic)).length, 0);
    const first = await dlq('replay', topic, '--code', 'UNDECODABLE', '--limit', '4');
    assert.match(first.stdout, new RegExp(`^4 row\\(s\\) replayed to ${topic}\n`));
    await dlq('replay', topic, '--code', 'UNDECODABLE');
    await dlq('replay', topic, '--code', 'EMPTY');
    const last = await dlq('replay', topic);
    assert.match(last.stdout, /^0 row\(s\) replayed .*\n20 had been replayed before\n0 left\n$/);
    assert.equal(last.code, 0);

    const rows = await recordsOf(topic);
    const numbers = rows.map(({ value }) => Number(value)).sort((a, b) => a - b);
    assert.deepEqual(numbers, [...Array(20).keys()]);
    const seven = rows.find(({ value }) => String(value) === '7')!;
    assert.equal(seven.partition, 1);
    assert.deepEqual(seven.headers, {
      many: [Buffer.from('a'), Buffer.from('b')],
      'millrace.replay.count': Buffer.from('1'),
    });
    const listed = await dlq('list', topic);
    assert.match(listed.stdout, /20 letters, 20 replayed/);
  });

  it('leaves what holds no row of the topic, says why, and ends with exit code 3', async () => {
    const topic = await newTopic((index) => {
      if (index === 0) return { row: { topic: undefined, file: 'x.csv', line: 2 } };
      if (index === 1) return { row: { topic: 'elsewhere' } };
      if (index === 2) return { row: { headers: { 'millrace.replay.count': '3' } } };
      return {};
    }, 4);
    const result = await dlq('replay', topic);
    assert.equal(result.code, 3, result.stderr);
    assert.match(result.stdout, /^1 row\(s\) replayed/);
    assert.match(
      result.stdout,
      /\n3 left: 1 of rows in a file: .*; 1 of rows of another topic; 1 tried as often/,
    );
    assert.deepEqual(
      (await recordsOf(topic)).map(({ value }) => String(value)),
      ['3'],
    );
  });

  it('replays every row exactly once, however often it is killed', async () => {
    const count = 12_000;
    const topic = await newTopic(() => ({}), count);
    let kills = 0;
    for (let run = 0; run < 3; run++) {
      const { child, result } = startProgram(['dlq', 'replay', topic, ...brokers]);
      const before = await sizeOf(topic);
      await until(async () => (await sizeOf(topic)) > before + 700 || child.exitCode !== null, 'rows');
      child.kill('SIGKILL');
      // A fast machine may have finished by then.
      if ((await result).code === null) kills += 1;
    }
    assert.ok(kills > 0);
    const { code, stderr } = await dlq('replay', topic);
    assert.equal(code, 0, stderr);
    const numbers = (await recordsOf(topic)).map(({ value }) => Number(value)).sort((a, b) => a - b);
    assert.deepEqual(numbers, [...Array(count).keys()]);
  });

  it('lets the second of two replays take over, and replays every row exactly once', async () => {
    const count = 12_000;
    const topic = await newTopic(() => ({}), count);
    const first = startProgram(['dlq', 'replay', topic, ...brokers]);
    await until(async () => (await sizeOf(topic)) > 0, 'rows');
    // It goes on when the other one has taken its place.
    first.child.kill('SIGSTOP');
    const second = await dlq('replay', topic);
    first.child.kill('SIGCONT');
    assert.equal(second.code, 0, second.stderr);
    const { code, stderr } = await first.result;
    assert.equal(code, 1);
    assert.match(stderr, /Not finished: start it again[^]*\[MILLRACE_TRANSACTION_FENCED\]\n$/);
    const numbers = (await recordsOf(topic)).map(({ value }) => Number(value)).sort((a, b) => a - b);
    assert.deepEqual(numbers, [...Array(count).keys()]);
  });

  it('counts the replays of a row through its next failures, and leaves it in the end', async () => {
    const topic = uniqueName('dlq');
    await ensureTopics(client, [{ topic, numPartitions: 1 }], { create: true });
    const [model, group] = [await saveSignBundle(), `${topic}-group`];
    const member = new ServingProcess({ model, topic, group, output: `${topic}-out` });
    await member.line('partitions assigned');
    const value = Buffer.from('not JSON');
    await publisher.send([{ topic, key: 'k', value, headers: { traceparent: '00-1' } }]);
    for (const replays of [0, 1, 2]) {
      await until(async () => (await recordsOf(`${topic}.dlq`)).length === replays + 1, 'the letter');
      const letter = (await recordsOf(`${topic}.dlq`)).at(-1)!;
      const tried = replays === 0 ? undefined : String(replays);
      assert.equal(headerText(letter.headers, 'millrace.replay.count'), tried);
      const { code, stdout } = await dlq('replay', topic, '--max-replays', '2');
      assert.equal(code, replays === 2 ? 3 : 0);
      assert.match(stdout, replays === 2 ? /^0 row[^]*\n1 left: 1 tried/ : /^1 row/);
    }
    await member.stop();
    const rows = await recordsOf(topic);
    assert.equal(rows.length, 3);
    assert.ok(rows.every((row) => String(row.key) === 'k' && row.value!.equals(value)));
    assert.deepEqual(rows[2].headers, {
      traceparent: Buffer.from('00-1'),
      'millrace.replay.count': Buffer.from('2'),
    });
  });
});
