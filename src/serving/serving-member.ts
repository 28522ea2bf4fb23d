import type { Compiled } from '../config/options.js';
import { createRowDecoder } from '../features/row-decoder.js';
import type { OpenBundle } from '../model/bundle.js';
import type { RecordFormat } from '../record/codec.js';
import { createDecoder, createEncoder } from '../record/codecs.js';
import type { SchemaStore } from '../record/schema-store.js';
import type { StreamClient } from '../stream/client/connection.js';
import { deadLetterTopic } from '../stream/dead-letter.js';
import { createKafkaSource } from '../stream/source/kafka-source.js';
import { createPublisher } from '../stream/publisher/publisher.js';
import { describeTopics } from '../stream/topics/topic-facts.js';
import type { TopicSource } from '../stream/source/topic-source.js';
import { createTransactionalPublisher } from '../stream/publisher/transactional-publisher.js';
import type { GapPolicy } from '../stream/source/gap.js';
import type { OffsetReset } from '../stream/source/start-position.js';
import { countPartitions, ensureTopics } from '../stream/topics/topics.js';
import type { Health } from '../telemetry/health.js';
import type { Logger } from '../telemetry/logger.js';
import type { ServingMetrics } from '../telemetry/metrics.js';
import { ChunkAnswerer } from './chunk-answerer.js';
import { AtLeastOnce } from './at-least-once.js';
import { isOutage, type Delivery } from './delivery.js';
import { ExactlyOnce } from './exactly-once.js';
import { emitFilter } from './emit-filter.js';
import { retrying } from '../telemetry/retrying.js';
import { ServeLoop } from './serve-loop.js';
import { watchProgress } from './watchdog.js';
import type { servingOptions } from './serving-options.js';

/** Which rows a member reads, and where its answers go. */
export interface ServingRoute {
  readonly topic: string;
  readonly output: string;
  readonly group: string;
  readonly offsetReset: OffsetReset;
  readonly onGap: GapPolicy;
  readonly format: RecordFormat;
}

export interface ServingMemberParts {
  readonly client: StreamClient;
  readonly bundle: Pick<OpenBundle, 'schema' | 'target' | 'predictor'>;
  readonly schemas: SchemaStore;
  readonly route: ServingRoute;
  readonly options: Compiled<typeof servingOptions>;
  readonly metrics: ServingMetrics;
  readonly health: Health;
  readonly logger: Logger;
}

/** A member that is ready to join its group: run the loop, then close. */
export interface ServingMember {
  readonly loop: ServeLoop;
  close(): Promise<void>;
}

/** Large letters are the ones that matter: a row that was too large for anything else still fits. */
const deadLetterSettings = { 'max.message.bytes': String(16 * 1024 * 1024) };

/** A chunk is decoded at one go, a few milliseconds; a batch of the model is made of several. */
const maxChunkRows = 1024;

/**
 * Puts a serving member together: topics, codecs, publisher, group membership.
 *
 * Throws MILLRACE_CONFIG_INVALID, MILLRACE_TOPIC_MISSING, MILLRACE_SCHEMA_INVALID, MILLRACE_BROKER_UNAVAILABLE and
 * MILLRACE_REGISTRY_UNAVAILABLE; nothing is left open then.
 */
export async function openServingMember(parts: ServingMemberParts): Promise<ServingMember> {
  const { client, bundle, schemas, route, options, metrics, health, logger } = parts;
  const { topic, output, group, offsetReset, onGap, format } = route;
  const { predictor, schema, target } = bundle;
  const { maxOutageMs, sessionTimeoutMs, maxBatchRows } = options;
  const emits = emitFilter(options.emit, target);
  const deadLetters = { topic: deadLetterTopic(topic), reporter: group };
  const onStage = metrics.stage.bind(metrics);
  const retryAs =
    (part: string) =>
    <T>(work: () => Promise<T>, abandoned: AbortSignal) =>
      retrying(work, {
        maxOutageMs,
        isOutage,
        abandoned,
        onTrouble: (reason) => {
          if (reason !== undefined) logger.warn({ part, reason }, 'trying again');
          // Other partitions may be in the same trouble, and come out of it later.
          health.trouble(part, reason, work);
        },
      });

  await ensureServingTopics(client, route, deadLetters.topic, options.createTopics);
  const encoder = await createEncoder({
    format: options.outputFormat ?? format,
    schema: predictor.predictionSchema,
    schemas,
    subject: `${output}-value`,
  });
  const answerer = new ChunkAnswerer({
    decoder: createRowDecoder(
      schema,
      createDecoder({ format, schema, schemas, maxBytes: options.maxRowBytes }),
    ),
    predictor,
    encoder,
    emits,
    outputTopic: output,
    deadLetters,
    onStage,
    retry: retryAs('registry'),
  });
  const source = createKafkaSource(client, {
    topic,
    group,
    offsetReset,
    onGap,
    sessionTimeoutMs,
    maxOutageMs,
  });
  const delivery = await openDelivery(source);
  const loop = new ServeLoop({
    source,
    answer: (chunk) => answerer.answer(chunk),
    delivery,
    limits: { ...options, maxChunkRows: Math.min(maxBatchRows, maxChunkRows) },
    metrics,
    health,
    logger,
  });
  const endWatch = watchProgress({
    work: () => loop.work(),
    fetchEnds: () => source.fetchEnds(),
    health,
    logger,
    stallTimeoutMs: options.stallTimeoutMs,
    onEnd: (error) => loop.fail(error),
  });
  const close = () => {
    endWatch();
    return delivery.close();
  };
  return { loop, close };

  async function openDelivery(input: TopicSource): Promise<Delivery> {
    const { compression } = options;
    const topics = await describeTopics(client, [output, deadLetters.topic]);
    const shared = { source: input, deadLetters, topics, onStage };
    if (options.delivery === 'at-least-once') {
      const publisher = await createPublisher(client, { compression });
      const letterPublisher = await createPublisher(client, { compression });
      return new AtLeastOnce({ ...shared, publisher, letterPublisher, retry: retryAs('output') });
    }
    return new ExactlyOnce({
      ...shared,
      group,
      maxOutageMs,
      publisher: (transactionalId) =>
        createTransactionalPublisher(client, {
          transactionalId,
          compression,
          maxBatchBytes: (name) => topics.maxBatchBytes(name),
        }),
      onTrouble: (partition, reason) => {
        if (reason !== undefined) logger.warn({ topic, partition, reason }, 'the partition begins anew');
        health.trouble('output', reason, `${topic}/${partition}`);
      },
    });
  }
}

/**
 * The input must be there; output and dead letters are made when they are missing and may be. The output gets as many
 * partitions as the input, so that a key has the same partition in both.
 */
async function ensureServingTopics(
  client: StreamClient,
  { topic, output }: ServingRoute,
  letters: string,
  create: boolean,
): Promise<void> {
  const numPartitions = await countPartitions(client, topic);
  await ensureTopics(
    client,
    [
      { topic: output, numPartitions },
      { topic: letters, settings: deadLetterSettings },
    ],
    { create },
  );
}
