import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SourceState } from '../../src/features/minibatch-source.js';
import { createJsonDecoder, createJsonEncoder } from '../../src/record/json-codec.js';
import {
  TopicMinibatchSource,
  type TopicMinibatchSourceOptions,
} from '../../src/stream/source/topic-minibatch-source.js';
import { ensureTopics, withAdmin } from '../../src/stream/topics/topics.js';
import { checkMinibatchSource, sequencesOf } from '../checks/minibatch-source.js';
import { testBrokers, uniqueName } from '../helpers/broker.js';
import {
  labelledPreparation,
  labelledRow,
  labelledSchema,
  labelledSequence,
} from '../helpers/labelled-rows.js';
import { runProgram } from '../helpers/program.js';
import { scratchFolder } from '../helpers/scratch.js';
import { testClient } from '../helpers/stream-client.js';

const client = testClient();
const encoder = createJsonEncoder(labelledSchema);
const producer = client.kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
const topic = uniqueName('range');

/** Row after row, in partitions in turn; rows beyond these belong to no range. */
const numbers = [...Array(40).keys()];
const isBad = (row: number) => row % 9 === 4;
const partitionOf = (row: number) => row % 3;
/** The time of row 0: recently, so that no record has expired. Rows are a second apart. */
const startMs = Date.now() - 600_000;
const message = (row: number) => ({
  partition: partitionOf(row),
  value: isBad(row) ? '{"id": 1' : encoder.encode(labelledRow(row)),
  timestamp: String(startMs + 1_000 * row),
});

async function open(options: Partial<TopicMinibatchSourceOptions> = {}): Promise<TopicMinibatchSource> {
  return TopicMinibatchSource.open(client, {
    ...{ topic, schema: labelledSchema, preparation: await labelledPreparation() },
    decoder: createJsonDecoder(labelledSchema, 10_000),
    ...options,
  });
}

async function sweepOf(source: TopicMinibatchSource): Promise<string[]> {
  const found: string[] = [];
  for (let sweepEnd = false; !sweepEnd;) {
    const minibatch = (await source.nextMinibatch(7))!;
    found.push(...sequencesOf(minibatch));
    sweepEnd = minibatch.get('features')!.sweepEnd;
  }
  return found;
}

/** What a source has of these rows, partition by partition. */
const expected = (rows: readonly number[]) =>
  [0, 1, 2].flatMap((partition) =>
    rows.filter((row) => partitionOf(row) === partition && !isBad(row)).map(labelledSequence),
  );

describe('a source over a range of a topic', () => {
  before(async () => {
    await ensureTopics(client, [{ topic, numPartitions: 3 }], { create: true });
    await producer.connect();
    await producer.send({ topic, messages: numbers.map(message) });
  });
  after(() => producer.disconnect());

  checkMinibatchSource({
    name: 'of a topic, whole',
    open: (_, options) => open(options),
    sequences: expected(numbers),
  });

  // Stretches of four records, taken in turn from the partitions.
  const stretches = [0, 1, 2, 3].flatMap((stretch) =>
    [0, 1, 2].flatMap((partition) =>
      numbers
        .filter((row) => partitionOf(row) === partition)
        .slice(4 * stretch, 4 * (stretch + 1))
        .filter((row) => !isBad(row))
        .map(labelledSequence),
    ),
  );
  checkMinibatchSource({
    name: 'of a topic, in chunks',
    open: (_, options) => open({ ...options, chunkRecords: 4 }),
    sequences: stretches,
  });

  it('reads from and to offsets, and from and to times', async () => {
    const byOffset = await open({
      from: new Map([
        [0, 2n],
        [2, 0n],
      ]),
      to: new Map([
        [0, 5n],
        [1, 3n],
        [2, 1_000n],
      ]),
    });
    const ofRange = numbers.filter((row) =>
      partitionOf(row) === 0 ? row >= 6 && row < 15 : partitionOf(row) === 2,
    );
    assert.deepEqual(await sweepOf(byOffset), expected(ofRange));
    const at = (row: number) => ({ timestampMs: startMs + 1_000 * row });
    const byTime = await open({ from: at(10), to: at(20) });
    assert.deepEqual(await sweepOf(byTime), expected(numbers.slice(10, 20)));
    assert.deepEqual([...byTime.range.from.values(), ...byTime.range.to.values()], [4n, 3n, 3n, 7n, 7n, 6n]);
  });

  it('says which records cannot be used', async () => {
    const rejects: string[] = [];
    await open({
      onReject: ({ record: { partition, offset }, fault }) =>
        rejects.push(`${partition}/${offset} ${fault.code}`),
    });
    assert.deepEqual(
      rejects.sort(),
      numbers
        .filter(isBad)
        .map((row) => `${partitionOf(row)}/${Math.floor(row / 3)} MILLRACE_ROW_UNDECODABLE`)
        .sort(),
    );
  });

  it('names the offsets in its state, with which it is the same after the topic has grown', async () => {
    const growing = uniqueName('growing');
    await ensureTopics(client, [{ topic: growing, numPartitions: 3 }], { create: true });
    await producer.send({ topic: growing, messages: numbers.map(message) });
    const options = { topic: growing, maxSweeps: 2, seed: 5, chunkRecords: 4 };
    const source = await open(options);
    for (let i = 0; i < 4; i++) await source.nextMinibatch(7);
    const state = JSON.parse(JSON.stringify(source.checkpointState())) as SourceState;
    assert.deepEqual(
      [state['topic'], state['from'], state['to']],
      [growing, { 0: '0', 1: '0', 2: '0' }, { 0: '14', 1: '13', 2: '13' }],
    );
    const rest = await sweepOf(source);
    await producer.send({ topic: growing, messages: [100, 101, 102].map(message) });
    const grown = await open(options);
    assert.throws(() => grown.restoreFromCheckpoint(state), {
      code: 'MILLRACE_CHECKPOINT_INVALID',
      message: /open the source from and to the offsets that it names/,
    });
    const same = await open({ ...options, ...TopicMinibatchSource.rangeOf(state) });
    same.restoreFromCheckpoint(state);
    assert.deepEqual(await sweepOf(same), rest);
  });

  it('says so when what it is to read has expired', async () => {
    const expiring = uniqueName('expiring');
    await ensureTopics(client, [{ topic: expiring, numPartitions: 3 }], { create: true });
    await producer.send({ topic: expiring, messages: numbers.map(message) });
    const source = await open({ topic: expiring, chunkRecords: 4 });
    await withAdmin(client, 'Deleting records', async (admin) => {
      await admin.fetchTopicOffsets(expiring);
      await admin.deleteTopicRecords({ topic: expiring, partitions: [{ partition: 1, offset: '6' }] });
    });
    await assert.rejects(sweepOf(source), {
      code: 'MILLRACE_INPUT_CHANGED',
      message: /partition 1 any more/,
    });
  });

  it('is what fit trains on with --topic', async (t) => {
    const folder = scratchFolder(t);
    const schema = join(folder, 'rows.json');
    writeFileSync(schema, JSON.stringify(labelledSchema));
    const args = ['fit', '--topic', topic, '--schema', schema, '--brokers', testBrokers().join(',')];
    const more = ['--sweeps', '2', '--validation-split', '0', '--output'];
    const wasm = { MILLRACE_BACKEND: 'wasm' };
    const whole = await runProgram([...args, ...more, join(folder, 'whole')], wasm);
    assert.equal(whole.code, 3, whole.stderr);
    assert.match(whole.stdout, /^trained on 36 rows/);
    assert.match(whole.stderr, new RegExp(`rejected ${topic}/1@1: `));
    assert.match(whole.stderr, /4 rejected \(4 MILLRACE_ROW_UNDECODABLE\)/);
    // Three rows of partition 0 and six of partition 2.
    const range = ['--from', '0:5,2:2', '--to', '8'];
    const part = await runProgram([...args, ...range, ...more, join(folder, 'part')], wasm);
    assert.equal(part.code, 0, part.stderr);
    assert.doesNotMatch(part.stderr, /rejected/);
    assert.match(part.stdout, /^trained on 9 rows/);
    const both = await runProgram([...args, 'rows.csv', ...more, join(folder, 'both')], wasm);
    assert.match(both.stderr, /Give either CSV files or --topic/);
  });

  it('refuses a topic, a partition or a range that is not there', async () => {
    await assert.rejects(open({ topic: uniqueName('nothing') }), { code: 'MILLRACE_TOPIC_MISSING' });
    await assert.rejects(open({ from: new Map([[7, 0n]]) }), {
      code: 'MILLRACE_CONFIG_INVALID',
      message: /has no partition 7: it has 3/,
    });
    await assert.rejects(open({ to: 'earliest' }), { code: 'MILLRACE_INPUT_EMPTY' });
  });
});
