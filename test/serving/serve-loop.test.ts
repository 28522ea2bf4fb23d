import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRowReader } from '../../src/features/row-reader.js';
import { ModelPredictor } from '../../src/model/predictor.js';
import { createDecoder, createEncoder } from '../../src/record/codecs.js';
import { ChunkAnswerer } from '../../src/serving/chunk-answerer.js';
import { deliverAtLeastOnce } from '../../src/serving/delivery.js';
import { emitFilter } from '../../src/serving/emit-filter.js';
import { retrying } from '../../src/serving/retrying.js';
import { ServeLoop, type ServeLimits } from '../../src/serving/serve-loop.js';
import type { OutgoingRecord } from '../../src/stream/publisher.js';
import { Health } from '../../src/telemetry/health.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { ServingMetrics } from '../../src/telemetry/metrics.js';
import { MillraceError } from '../../src/errors.js';
import { MemoryPublisher } from '../helpers/memory-publisher.js';
import { MemorySource, type RecordInput } from '../helpers/memory-source.js';
import { PlainModel, type PredictRow } from '../helpers/plain-model.js';
import { signOutputs, signPipeline, signSchema, signTarget } from '../helpers/sign-bundle.js';

interface Settings extends Partial<ServeLimits> {
  readonly emit?: string;
  readonly maxRowBytes?: number;
  readonly maxOutageMs?: number;
  readonly predictRow?: PredictRow;
}

/** A serving member without Kafka and without TensorFlow, running. */
async function startMember(settings: Settings = {}) {
  const source = new MemorySource();
  const publisher = new MemoryPublisher();
  const model = new PlainModel(2, 2, settings.predictRow ?? (([x, y]) => signOutputs(x, y)));
  const health = new Health();
  const predictor = new ModelPredictor({
    schema: signSchema,
    pipeline: signPipeline(),
    target: signTarget,
    model,
    name: 'sign',
    version: 3,
  });
  const schemas = {
    register: () => Promise.reject(new Error('JSON needs no schemas')),
    get: () => Promise.resolve(undefined),
  };
  const encoder = await createEncoder({
    format: 'json',
    schema: predictor.predictionSchema,
    schemas,
    subject: 'predictions-value',
  });
  const deadLetters = { topic: 'observations.dlq', reporter: 'scoring' };
  const metrics = new ServingMetrics('1.2.3', {
    inFlight: () => loop.inFlight(),
    tensors: () => Promise.resolve({ numTensors: 0, numBytes: 0 }),
  });
  const onStage = metrics.stage.bind(metrics);
  const retry = <T>(work: () => Promise<T>, abandoned: AbortSignal) =>
    retrying(work, {
      maxOutageMs: settings.maxOutageMs ?? 60_000,
      abandoned,
      onTrouble: (reason) => health.trouble('output', reason),
    });
  const answerer = new ChunkAnswerer({
    decoder: createDecoder({
      format: 'json',
      schema: signSchema,
      schemas,
      maxBytes: settings.maxRowBytes ?? 10_000,
    }),
    reader: createRowReader(signSchema),
    predictor,
    encoder,
    emits: emitFilter(settings.emit, signTarget),
    outputTopic: 'predictions',
    deadLetters,
    onStage,
    retry,
  });
  const loop: ServeLoop = new ServeLoop({
    source,
    answer: (chunk) => answerer.answer(chunk),
    deliver: deliverAtLeastOnce({ publisher, source, deadLetters, onStage, retry }),
    limits: {
      maxChunkRows: 4,
      maxInFlightRows: 1_000,
      maxInFlightBytes: 1e9,
      drainTimeoutMs: 60_000,
      ...settings,
    },
    metrics,
    health,
    logger: createLogger({ name: 'test', level: 'silent' }),
  });
  const shutdown = new AbortController();
  const finished = loop.run(shutdown.signal);
  finished.catch(() => {});
  await turn();
  const drain = () => {
    shutdown.abort();
    return finished;
  };
  return { source, publisher, model, health, metrics, loop, finished, drain };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function turnsUntil(isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isTrue()) {
    assert.ok(performance.now() < deadline, 'it never happens');
    await turn();
  }
}

const row = (id: number, x = 1, y = 0): RecordInput => ({
  key: Buffer.from(`key-${id}`),
  value: Buffer.from(JSON.stringify({ id, x, y })),
});
const rowsFrom = (start: number, count: number) =>
  Array.from({ length: count }, (_, index) => row(start + index));
const ids = (records: readonly OutgoingRecord[]) =>
  records.map(({ value }) => (JSON.parse(String(value)) as { id: number }).id);
const header = (record: OutgoingRecord, name: string) => String(record.headers?.[name]);

describe('a serving member', () => {
  it('answers every row of its partitions in order and commits behind them', async () => {
    const { source, publisher, drain } = await startMember();
    source.assign(0, 1);
    source.fetch(0, rowsFrom(0, 10));
    source.fetch(1, rowsFrom(100, 7));
    source.fetch(0, rowsFrom(10, 5));
    const summary = await drain();
    const answered = ids(publisher.of('predictions'));
    assert.deepEqual(
      answered.filter((id) => id < 100),
      Array.from({ length: 15 }, (_, i) => i),
    );
    assert.deepEqual(
      answered.filter((id) => id >= 100),
      Array.from({ length: 7 }, (_, i) => 100 + i),
    );
    assert.deepEqual(
      [...source.committed],
      [
        [0, 15n],
        [1, 7n],
      ],
    );
    assert.deepEqual(
      { ...summary },
      {
        rows: 22,
        predictions: 22,
        deadLetters: 0,
        filtered: 0,
        skipped: 0,
        rebalances: 1,
        deadLettersByCode: {},
      },
    );
  });

  it('gives a prediction the key, headers and time of its row, and where the row was', async () => {
    const { source, publisher, drain } = await startMember();
    source.assign(2);
    const headers = { traceparent: '00-abc-def-01', again: [Buffer.from('1'), Buffer.from('2')] };
    source.fetch(2, [{ ...row(7, 0.5, 0.25), headers, timestampMs: 1_234 }]);
    await drain();
    const [answer] = publisher.records;
    assert.equal(answer.topic, 'predictions');
    assert.equal(String(answer.key), 'key-7');
    assert.equal(answer.timestampMs, 1_234);
    assert.deepEqual(answer.headers, {
      ...headers,
      'millrace.source.topic': 'observations',
      'millrace.source.partition': '2',
      'millrace.source.offset': '0',
    });
    const value = JSON.parse(String(answer.value)) as Record<string, unknown>;
    assert.deepEqual(
      { ...value, prediction: undefined },
      {
        id: 7,
        prediction: undefined,
        predicted_index: 1,
        predicted_label: 's',
        model: 'sign',
        model_version: 3,
      },
    );
    const [b, s] = value['prediction'] as number[];
    assert.ok(Math.abs(s - signOutputs(0.5, 0.25)[1]) < 1e-6 && Math.abs(b + s - 1) < 1e-6);
  });

  it('does not pass on a time that lies ahead', async () => {
    const { source, publisher, drain } = await startMember();
    source.assign(0);
    const before = Date.now();
    source.fetch(0, [
      { ...row(1), timestampMs: before + 1e9 },
      { ...row(2), timestampMs: -1 },
    ]);
    await drain();
    const [ahead, unknown] = publisher.records;
    assert.ok(ahead.timestampMs! >= before && ahead.timestampMs! <= Date.now());
    assert.equal(unknown.timestampMs, undefined);
  });

  it('makes dead letters of rows that cannot be used, untouched, and serves their neighbours', async () => {
    const { source, publisher, drain, metrics } = await startMember({ maxRowBytes: 200 });
    const poison: [string, Buffer | null][] = [
      ['MILLRACE_ROW_EMPTY', null],
      ['MILLRACE_ROW_UNDECODABLE', Buffer.alloc(0)],
      ['MILLRACE_ROW_UNDECODABLE', Buffer.from('{"id":1,')],
      ['MILLRACE_ROW_UNDECODABLE', Buffer.from([0x22, 0xc3])],
      ['MILLRACE_ROW_UNDECODABLE', Buffer.from('[1,2,3]')],
      ['MILLRACE_ROW_COLUMN_MISSING', Buffer.from('{"id":1,"x":1}')],
      ['MILLRACE_ROW_COLUMN_MISSING', Buffer.from('{"__proto__":{"x":1,"y":1},"id":1}')],
      ['MILLRACE_ROW_FIELD_TYPE', Buffer.from('{"id":1,"x":"one","y":2}')],
      ['MILLRACE_ROW_NOT_FINITE', Buffer.from('{"id":1,"x":1e400,"y":2}')],
      ['MILLRACE_ROW_TOO_LARGE', Buffer.from(JSON.stringify({ id: 1, x: 1, y: 2, label: 'x'.repeat(300) }))],
    ];
    source.assign(0);
    for (const [index, [, value]] of poison.entries()) {
      source.fetch(0, [row(index), { key: Buffer.from('bad'), value, headers: { traceparent: 't' } }]);
    }
    const summary = await drain();
    const letters = publisher.of('observations.dlq');
    assert.deepEqual(
      letters.map((letter) => header(letter, 'millrace.error.code')),
      poison.map(([code]) => code),
    );
    assert.deepEqual(
      letters.map(({ value }) => value),
      poison.map(([, value]) => value),
    );
    assert.ok(
      letters.every((letter) => String(letter.key) === 'bad' && header(letter, 'traceparent') === 't'),
    );
    assert.equal(header(letters[0], '__connect.errors.topic'), 'observations');
    assert.equal(header(letters[0], '__connect.errors.partition'), '0');
    assert.equal(header(letters[3], '__connect.errors.offset'), '7');
    assert.equal(header(letters[0], '__connect.errors.connector.name'), 'scoring');
    assert.deepEqual(ids(publisher.of('predictions')), [...poison.keys()]);
    assert.equal(summary.rows, 20);
    assert.equal(summary.deadLetters, 10);
    assert.equal(summary.deadLettersByCode.MILLRACE_ROW_UNDECODABLE, 4);
    assert.match(
      (await metrics.render()).body,
      /millrace_dead_letters_total\{code="MILLRACE_ROW_UNDECODABLE"\} 4/,
    );
  });

  it('makes dead letters of rows at which the model fails alone, and of answers that are not finite', async () => {
    const { source, publisher, drain } = await startMember({
      predictRow: ([x, y]) => {
        if (x === 13) throw new Error('unlucky');
        return x === 14 ? [NaN, 1] : signOutputs(x, y);
      },
    });
    source.assign(0);
    source.fetch(0, [row(0), row(1, 13), row(2), row(3, 14)]);
    await drain();
    assert.deepEqual(ids(publisher.of('predictions')), [0, 2]);
    assert.deepEqual(ids(publisher.of('observations.dlq')), [1, 3]);
  });

  it('forwards only what --emit names, and counts the rest', async () => {
    const { source, publisher, drain } = await startMember({ emit: 'label=s' });
    source.assign(0);
    source.fetch(0, [row(0, 1), row(1, -1), row(2, 2), row(3, -2)]);
    const summary = await drain();
    assert.deepEqual(ids(publisher.records), [0, 2]);
    assert.equal(summary.filtered, 2);
    assert.equal(summary.predictions, 2);
    assert.equal(source.committed.get(0), 4n);
  });

  it('drops what is in flight when its partition is lost, and commits none of it', async () => {
    const { source, publisher, model, drain } = await startMember();
    let open!: () => void;
    model.gate = new Promise((resolve) => (open = resolve));
    source.assign(0);
    source.fetch(0, rowsFrom(0, 20));
    await turnsUntil(() => model.calls.length > 0);
    source.assign(1);
    model.gate = undefined;
    open();
    source.fetch(1, rowsFrom(100, 2));
    const summary = await drain();
    assert.deepEqual(ids(publisher.records), [100, 101]);
    assert.deepEqual([...source.committed], [[1, 2n]]);
    assert.equal(summary.rows, 2);
    assert.equal(summary.rebalances, 2);
  });

  it('commits nothing under an assignment that is over, even if the same partition comes back', async () => {
    const { source, publisher, drain } = await startMember();
    let open!: () => void;
    publisher.gate = new Promise((resolve) => (open = resolve));
    source.assign(0);
    source.fetch(0, rowsFrom(0, 3));
    await turnsUntil(() => publisher.sends === 1);
    source.assign(0);
    open();
    await drain();
    // Written, since it was on its way, but not committed under an assignment that is over.
    assert.deepEqual(ids(publisher.records), [0, 1, 2]);
    assert.deepEqual(source.commits, []);
  });

  it('lets partitions rest at their bounds, holds no more, and goes on', async () => {
    const { source, publisher, loop, drain } = await startMember({ maxInFlightRows: 20, maxChunkRows: 4 });
    let open!: () => void;
    publisher.gate = new Promise((resolve) => (open = resolve));
    source.assign(0, 1);
    source.fetch(0, rowsFrom(0, 10));
    assert.deepEqual([...source.paused], [0]);
    source.fetch(1, rowsFrom(100, 9));
    assert.deepEqual([...source.paused], [0]);
    source.fetch(1, rowsFrom(109, 2));
    assert.deepEqual([...source.paused], [0, 1]);
    assert.equal(loop.inFlight().rows, 21);
    assert.ok(loop.inFlight().bytes > 21 * 20);
    open();
    publisher.gate = undefined;
    await turnsUntil(() => source.paused.size === 0);
    await drain();
    assert.deepEqual(loop.inFlight(), { rows: 0, bytes: 0 });
    assert.equal(publisher.records.length, 21);
  });

  it('predicts the next chunk while the one before it is written', async () => {
    const { source, publisher, model, drain } = await startMember();
    let open!: () => void;
    publisher.gate = new Promise((resolve) => (open = resolve));
    source.assign(0);
    source.fetch(0, rowsFrom(0, 40));
    await turnsUntil(() => model.calls.length === 3);
    assert.equal(publisher.sends, 1);
    open();
    publisher.gate = undefined;
    await drain();
    assert.deepEqual(
      ids(publisher.records),
      Array.from({ length: 40 }, (_, index) => index),
    );
  });

  it('writes on while a commit is under way, and commits what was done meanwhile at once', async () => {
    const { source, publisher, loop, drain } = await startMember();
    let open!: () => void;
    source.commitGate = new Promise((resolve) => (open = resolve));
    source.assign(0);
    source.fetch(0, rowsFrom(0, 20));
    await turnsUntil(() => publisher.records.length === 20);
    assert.deepEqual(source.commits, []);
    assert.equal(loop.inFlight().rows, 20);
    const drained = drain();
    await turn();
    assert.equal(source.isClosed, false);
    open();
    await drained;
    assert.deepEqual(source.commits, [
      { partition: 0, offset: 4n },
      { partition: 0, offset: 20n },
    ]);
    assert.equal(loop.inFlight().rows, 0);
  });

  it('rests when as many rows as it may hold wait for their commit', async () => {
    const { source, publisher, drain } = await startMember({ maxInFlightRows: 8 });
    let open!: () => void;
    source.commitGate = new Promise((resolve) => (open = resolve));
    source.assign(0);
    source.fetch(0, rowsFrom(0, 8));
    await turnsUntil(() => publisher.records.length === 8);
    assert.deepEqual([...source.paused], [0]);
    open();
    await turnsUntil(() => source.paused.size === 0);
    await drain();
  });

  it('fails when a commit cannot be made', async () => {
    const { source, finished } = await startMember({ maxOutageMs: 0 });
    source.commitGate = Promise.reject(new MillraceError('MILLRACE_BROKER_UNAVAILABLE', 'no broker'));
    source.assign(0);
    source.fetch(0, rowsFrom(0, 20));
    await assert.rejects(finished, { code: 'MILLRACE_BROKER_UNAVAILABLE' });
    assert.deepEqual(source.commits, []);
  });

  it('is not ready while the output is away, then goes on where it was', async () => {
    const { source, publisher, health, drain } = await startMember();
    let isAway = true;
    publisher.beforeSend = () => {
      if (isAway) throw new MillraceError('MILLRACE_PRODUCE_FAILED', 'no broker');
    };
    source.assign(0);
    source.fetch(0, rowsFrom(0, 2));
    await turnsUntil(() => !health.report().ready);
    assert.deepEqual(health.report().reasons, ['output: no broker']);
    assert.equal(source.committed.size, 0);
    isAway = false;
    await turnsUntil(() => source.committed.get(0) === 2n);
    assert.ok(health.report().ready);
    await drain();
    assert.deepEqual(ids(publisher.records), [0, 1]);
  });

  it('fails, and commits nothing, when the output stays away', async () => {
    const { source, publisher, health, finished } = await startMember({ maxOutageMs: 0 });
    publisher.beforeSend = (records) => {
      if (ids(records).includes(5)) throw new MillraceError('MILLRACE_PRODUCE_FAILED', 'no broker');
    };
    source.assign(0);
    source.fetch(0, rowsFrom(0, 40));
    await assert.rejects(finished, { code: 'MILLRACE_PRODUCE_FAILED' });
    // The chunk of row 5 begins at 4; nothing behind it is written or committed.
    assert.deepEqual(source.commits, [{ partition: 0, offset: 4n }]);
    assert.deepEqual(ids(publisher.records), [0, 1, 2, 3]);
    assert.equal(health.report().live, false);
    assert.ok(source.isClosed);
  });

  it('replaces an answer that its topic refuses for its size by a dead letter, and that by its reason', async () => {
    const { source, publisher, drain } = await startMember();
    publisher.maxValueBytes = 20;
    source.assign(0);
    source.fetch(0, [row(1), { value: Buffer.alloc(30) }]);
    const summary = await drain();
    assert.deepEqual(publisher.of('predictions'), []);
    const letters = publisher.of('observations.dlq');
    // The row itself fits, and the garbage does not.
    assert.deepEqual(
      letters.map(({ value }) => value),
      [row(1).value, null],
    );
    assert.deepEqual(
      letters.map((letter) => header(letter, '__connect.errors.offset')),
      ['0', '1'],
    );
    assert.deepEqual(
      letters.map((letter) => header(letter, 'millrace.error.code')),
      ['MILLRACE_ROW_TOO_LARGE', 'MILLRACE_ROW_UNDECODABLE'],
    );
    assert.equal(summary.deadLetters, 2);
    assert.equal(source.committed.get(0), 2n);
  });

  it('fails when its dead-letter topic takes not even the reason', async () => {
    const { source, publisher, finished } = await startMember();
    publisher.maxValueBytes = -1;
    source.assign(0);
    source.fetch(0, [row(1)]);
    await assert.rejects(finished, { code: 'MILLRACE_RECORD_TOO_LARGE' });
    assert.equal(publisher.sends, 3);
    assert.deepEqual(source.commits, []);
  });

  it('fails when the source does', async () => {
    const { source, finished } = await startMember();
    source.listener.failed(new MillraceError('MILLRACE_CONSUMER_CRASHED', 'gone'));
    await assert.rejects(finished, { code: 'MILLRACE_CONSUMER_CRASHED' });
  });

  it('says why it is not ready: starting, hampered, draining', async () => {
    const { source, health, publisher, drain } = await startMember();
    assert.deepEqual(health.report().reasons, ['the process is starting']);
    source.assign();
    assert.ok(health.report().ready);
    source.listener.hampered('no answer');
    assert.deepEqual(health.report().reasons, ['input: no answer']);
    source.listener.hampered(undefined);
    assert.ok(health.report().ready);
    let open!: () => void;
    publisher.gate = new Promise((resolve) => (open = resolve));
    source.assign(0);
    source.fetch(0, rowsFrom(0, 1));
    const drained = drain();
    await turn();
    assert.equal(health.report().state, 'draining');
    assert.equal(health.report().ready, false);
    assert.equal(source.isFetching, false);
    open();
    await drained;
    assert.ok(source.isClosed);
  });

  it('gives up draining at the deadline', async () => {
    const { source, publisher, drain } = await startMember({ drainTimeoutMs: 1 });
    publisher.gate = new Promise(() => {});
    source.assign(0);
    source.fetch(0, rowsFrom(0, 3));
    await assert.rejects(drain(), { code: 'MILLRACE_DRAIN_TIMEOUT', facts: { rows: 3, drainTimeoutMs: 1 } });
    assert.equal(source.committed.size, 0);
  });

  it('reports lag and latency', async () => {
    const { source, metrics, drain } = await startMember();
    source.assign(0);
    source.fetch(0, [row(0)]);
    await turnsUntil(() => source.committed.get(0) === 1n);
    await turn();
    const { body } = await metrics.render();
    assert.match(body, /millrace_consumer_lag\{topic="observations",partition="0"\} 0/);
    assert.match(body, /millrace_end_to_end_latency_seconds_count 1/);
    assert.match(body, /millrace_stage_duration_seconds_count\{stage="produce"\} 1/);
    await drain();
  });

  it('reports a lag that grows while nothing can be answered', async () => {
    const { source, publisher, metrics, drain } = await startMember();
    let open!: () => void;
    publisher.gate = new Promise((resolve) => (open = resolve));
    source.assign(0);
    source.fetch(0, rowsFrom(0, 7));
    source.fetch(0, rowsFrom(7, 5));
    assert.match(
      (await metrics.render()).body,
      /millrace_consumer_lag\{topic="observations",partition="0"\} 12/,
    );
    open();
    await drain();
  });

  it('answers every row once per commit, however fetches and rebalances fall', async () => {
    const action = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ partition: fc.constantFrom(0, 1, 2), rows: fc.integer({ min: 1, max: 9 }) }),
      },
      { weight: 1, arbitrary: fc.constant('turn' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
        const { source, publisher, drain } = await startMember({ maxChunkRows: 3, maxInFlightRows: 30 });
        source.assign(0, 1, 2);
        const fetched = [0, 0, 0];
        for (const each of actions) {
          if (each === 'turn') await turn();
          else {
            source.fetch(
              each.partition,
              rowsFrom(1_000 * each.partition + fetched[each.partition], each.rows),
            );
            fetched[each.partition] += each.rows;
          }
        }
        const summary = await drain();
        for (const [partition, count] of fetched.entries()) {
          const own = ids(publisher.records).filter((id) => Math.floor(id / 1_000) === partition);
          assert.deepEqual(
            own,
            Array.from({ length: count }, (_, index) => 1_000 * partition + index),
          );
          assert.equal(source.committed.get(partition) ?? 0n, BigInt(count));
        }
        assert.equal(summary.rows, fetched[0] + fetched[1] + fetched[2]);
      }),
      { numRuns: 50 },
    );
  });
});
