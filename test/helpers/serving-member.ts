import assert from 'node:assert/strict';
import { createRowDecoder } from '../../src/features/row-decoder.js';
import { ModelPredictor } from '../../src/model/predictor.js';
import { createDecoder, createEncoder } from '../../src/record/codecs.js';
import { ChunkAnswerer } from '../../src/serving/chunk-answerer.js';
import { isOutage } from '../../src/serving/delivery.js';
import { AtLeastOnce } from '../../src/serving/at-least-once.js';
import { ExactlyOnce } from '../../src/serving/exactly-once.js';
import { emitFilter } from '../../src/serving/emit-filter.js';
import { retrying } from '../../src/telemetry/retrying.js';
import { ServeLoop, type ServeLimits } from '../../src/serving/serve-loop.js';
import type { OutgoingRecord } from '../../src/stream/publisher/produce-request.js';
import type { TopicFacts } from '../../src/stream/topics/topic-facts.js';
import { Health } from '../../src/telemetry/health.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { ServingMetrics } from '../../src/telemetry/metrics.js';
import { MemoryPublisher } from './memory-publisher.js';
import { MemoryTransactions } from './memory-transactions.js';
import { MemorySource, type RecordInput } from './memory-source.js';
import { PlainModel, type PredictRow } from './plain-model.js';
import { signOutputs, signPipeline, signSchema, signTarget } from './sign-bundle.js';

/** What differs from a member with chunks of 4 rows and bounds that no test reaches. */
export interface MemberSettings extends Partial<ServeLimits> {
  /** At least once unless given. */
  readonly delivery?: 'exactly-once';
  /** What the output topics take. */
  readonly maxBatchBytes?: (topic: string) => number;
  readonly refusal?: TopicFacts['refusal'];
  /** How many partitions they have when they are described for the first, second, ... time; eight unless given. */
  readonly numPartitions?: readonly number[];
  readonly emit?: string;
  readonly maxRowBytes?: number;
  readonly maxOutageMs?: number;
  readonly predictRow?: PredictRow;
}

/** A serving member without Kafka and without TensorFlow, running. */
export async function startMember(settings: MemberSettings = {}) {
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
      isOutage,
      abandoned,
      onTrouble: (reason) => health.trouble('output', reason),
    });
  const answerer = new ChunkAnswerer({
    decoder: createRowDecoder(
      signSchema,
      createDecoder({
        format: 'json',
        schema: signSchema,
        schemas,
        maxBytes: settings.maxRowBytes ?? 10_000,
      }),
    ),
    predictor,
    encoder,
    emits: emitFilter(settings.emit, signTarget),
    outputTopic: 'predictions',
    deadLetters,
    onStage,
    retry,
  });
  const [numAtFirst = 8, ...numLater] = settings.numPartitions ?? [];
  let numPartitions = numAtFirst;
  const topics = {
    numPartitions: () => numPartitions,
    maxBatchBytes: settings.maxBatchBytes ?? (() => Infinity),
    refusal: settings.refusal ?? (() => undefined),
    refresh: () => {
      numPartitions = numLater.shift() ?? numPartitions;
      return Promise.resolve();
    },
  };
  const transactions = new MemoryTransactions((partition, nextOffset) =>
    source.committed.set(partition, nextOffset),
  );
  const shared = { source, deadLetters, topics, onStage };
  const delivery =
    settings.delivery === undefined
      ? new AtLeastOnce({ ...shared, publisher, letterPublisher: publisher, retry })
      : new ExactlyOnce({
          ...shared,
          group: 'scoring',
          publisher: (id) => transactions.publisher(id),
          maxOutageMs: settings.maxOutageMs ?? 60_000,
          onTrouble: (partition, reason) => health.trouble('output', reason, partition),
        });
  const loop: ServeLoop = new ServeLoop({
    source,
    answer: (chunk) => answerer.answer(chunk),
    delivery,
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
  return { source, publisher, transactions, model, health, metrics, loop, finished, drain };
}

/** Lets everything that is ready to run do so once. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Waits for what happens without a timer. Fails after 10 seconds. */
export async function turnsUntil(isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isTrue()) {
    assert.ok(performance.now() < deadline, 'it never happens');
    await turn();
  }
}

/** A record of the topic of observations. */
export const rowOf = (id: number, x = 1, y = 0): RecordInput => ({
  key: Buffer.from(`key-${id}`),
  value: Buffer.from(JSON.stringify({ id, x, y })),
});

/** Records of `count` ids from `start` on. */
export const rowsFrom = (start: number, count: number) =>
  Array.from({ length: count }, (_, index) => rowOf(start + index));

/** The ids of predictions, or of dead letters that can be decoded. */
export const idsOf = (records: readonly OutgoingRecord[]) =>
  records.map(({ value }) => (JSON.parse(String(value)) as { id: number }).id);

/** A header as text. */
export const headerOf = (record: OutgoingRecord, name: string) => String(record.headers?.[name]);
