import { MillraceError } from '../../errors.js';
import type { SourceState } from '../../features/minibatch-source.js';
import { createRowDecoder, type RowDecoder } from '../../features/row-decoder.js';
import { isRowFault, type RowFault } from '../../features/row-faults.js';
import { ChunkedSource, type ChunkedSourceOptions } from '../../features/sources/chunked-source.js';
import { PreparedChunk, type RowPreparation } from '../../features/sources/row-preparation.js';
import type { ChunkedSequences, SequenceChunk } from '../../features/sources/sequence-chunk.js';
import type { Decoder } from '../../record/codec.js';
import type { Schema } from '../../record/schema.js';
import type { StreamClient } from '../client/connection.js';
import { valueOf } from '../record-value.js';
import { readTopic, type TopicRecord } from './topic-reader.js';
import { findTopicRange, type TopicRange, type TopicRangeOptions } from './topic-range.js';

export interface TopicMinibatchSourceOptions extends ChunkedSourceOptions, TopicRangeOptions {
  /** Names the label. */
  readonly schema: Schema;
  readonly decoder: Decoder;
  readonly preparation: RowPreparation;
  /** Records of one partition that are in memory together, as numbers; 65,536 unless given, and fewer of large ones. */
  readonly chunkRecords?: number;
  /** Called for each record that cannot be used, once, while the range is opened. */
  readonly onReject?: (reject: { readonly record: TopicRecord; readonly fault: RowFault }) => void;
}

const defaultChunkRecords = 65_536;
/** A chunk with more bytes of values ends. */
const maxChunkBytes = 32 * 1024 * 1024;
/** What is decoded at one go. */
const [batchRecords, batchBytes] = [4096, 4 * 1024 * 1024];

/**
 * A source over a bounded range of a topic, without a consumer group. Chunks are stretches of one partition, taken in
 * turn from all of them. The sum of partition and offset is the id of a row.
 *
 * Its state names the offsets of the range: opened with those, it gives the same minibatches whatever was written since.
 */
export class TopicMinibatchSource extends ChunkedSource {
  readonly range: TopicRange;

  private constructor(range: TopicRange, sequences: ChunkedSequences, options: ChunkedSourceOptions) {
    super(sequences, options);
    this.range = range;
  }

  /**
   * Reads the range once, to see which records can be used.
   *
   * @throws MillraceError MILLRACE_TOPIC_MISSING, MILLRACE_BROKER_UNAVAILABLE, MILLRACE_REGISTRY_UNAVAILABLE,
   * MILLRACE_INPUT_EMPTY when no record can be used, MILLRACE_CONFIG_INVALID; reading MILLRACE_INPUT_CHANGED when records
   * have expired since
   */
  static async open(
    client: StreamClient,
    options: TopicMinibatchSourceOptions,
  ): Promise<TopicMinibatchSource> {
    const range = await findTopicRange(client, options);
    return new TopicMinibatchSource(range, await findRecords(client, range, options), options);
  }

  /** The range that a state was taken over, to open it again. Throws MILLRACE_CHECKPOINT_INVALID. */
  static rangeOf({ topic, from, to }: SourceState): TopicRange {
    if (typeof topic === 'string') return { topic, from: readOffsets(from), to: readOffsets(to) };
    throw notOfTopic();
  }

  override checkpointState(): SourceState {
    return { ...super.checkpointState(), ...plainRange(this.range) };
  }

  override restoreFromCheckpoint(state: SourceState): void {
    const { topic, from, to } = plainRange(this.range);
    const same = JSON.stringify([state['topic'], state['from'], state['to']]);
    if (same !== JSON.stringify([topic, from, to])) {
      throw new MillraceError(
        'MILLRACE_CHECKPOINT_INVALID',
        `The checkpoint was taken over another range of offsets of ${String(state['topic'])}; open the source from and to the offsets that it names.`,
      );
    }
    super.restoreFromCheckpoint(state);
  }
}

/** Offsets as text, since they may be larger than a number of JSON. */
function plainRange({ topic, from, to }: TopicRange) {
  const plain = (offsets: ReadonlyMap<number, bigint>) =>
    Object.fromEntries([...offsets].map(([partition, offset]) => [partition, String(offset)]));
  return { topic, from: plain(from), to: plain(to) };
}

function readOffsets(json: unknown): ReadonlyMap<number, bigint> {
  const entries = Object.entries(json ?? {}) as [string, unknown][];
  const isOffset = (text: unknown) => typeof text === 'string' && /^\d{1,19}$/.test(text);
  if (!entries.every(([partition, offset]) => isOffset(partition) && isOffset(offset))) throw notOfTopic();
  return new Map(entries.map(([partition, offset]) => [Number(partition), BigInt(offset as string)]));
}

function notOfTopic(): MillraceError {
  return new MillraceError('MILLRACE_CHECKPOINT_INVALID', 'The checkpoint is not one of a range of a topic.');
}

/** A stretch of a partition. */
interface TopicChunkPlace {
  readonly partition: number;
  readonly from: bigint;
  /** Behind its last record. */
  readonly to: bigint;
  readonly numUsable: number;
}

async function findRecords(
  client: StreamClient,
  range: TopicRange,
  options: TopicMinibatchSourceOptions,
): Promise<ChunkedSequences> {
  const { preparation, chunkRecords = defaultChunkRecords, onReject } = options;
  const decoder = createRowDecoder(options.schema, options.decoder, { withLabel: true });
  const partitions = new Map([...range.from.keys()].map((each) => [each, [] as TopicChunkPlace[]]));
  const open = new Map<
    number,
    TopicChunkPlace & { readonly numRecords: number; readonly numBytes: number }
  >();
  for await (const { partition, records, numBytes } of batchesOf(client, range, options)) {
    const chunk = new PreparedChunk(preparation);
    await addRecords(chunk, decoder, records, onReject);
    const before = open.get(partition);
    const grown = {
      partition,
      from: before?.from ?? records[0].offset,
      to: records.at(-1)!.offset + 1n,
      numUsable: (before?.numUsable ?? 0) + chunk.numRows,
      numRecords: (before?.numRecords ?? 0) + records.length,
      numBytes: (before?.numBytes ?? 0) + numBytes,
    };
    if (grown.numRecords < chunkRecords && grown.numBytes < maxChunkBytes) open.set(partition, grown);
    else {
      partitions.get(partition)!.push(grown);
      open.delete(partition);
    }
  }
  for (const [partition, rest] of open) partitions.get(partition)!.push(rest);
  const chunks = inTurn([...partitions.values()]);
  return {
    streams: preparation.streams,
    chunkSizes: chunks.map(({ numUsable }) => numUsable),
    readChunk: (index) => readChunk(client, decoder, chunks[index], options),
  };
}

/** The first of each list, the second of each, and so on. */
function inTurn<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, place) =>
    lists.flatMap((list) => (place < list.length ? [list[place]] : [])),
  ).flat();
}

async function readChunk(
  client: StreamClient,
  decoder: RowDecoder,
  { partition, from, to, numUsable }: TopicChunkPlace,
  options: TopicMinibatchSourceOptions,
): Promise<SequenceChunk> {
  const chunk = new PreparedChunk(options.preparation);
  const range = { topic: options.topic, from: new Map([[partition, from]]), to: new Map([[partition, to]]) };
  for await (const { records } of batchesOf(client, range, options)) {
    await addRecords(chunk, decoder, records);
  }
  if (chunk.numRows === numUsable) return chunk.finish();
  throw new MillraceError(
    'MILLRACE_INPUT_CHANGED',
    `${options.topic} does not hold the records from ${from} to ${to} of partition ${partition} any more: begin anew, and let it keep them longer.`,
  );
}

async function addRecords(
  chunk: PreparedChunk,
  decoder: RowDecoder,
  records: readonly TopicRecord[],
  onReject?: TopicMinibatchSourceOptions['onReject'],
): Promise<void> {
  const values = records.map(valueOf);
  await decoder.prepare(values.map((value) => (isRowFault(value) ? null : value)));
  const batch = decoder.read(values);
  const ids = records.map(({ partition, offset }) => Number(offset) + partition);
  chunk.add(batch, ids);
  for (const [row, fault] of batch.faults.inOrder()) onReject?.({ record: records[row], fault });
}

/** Records of one partition. */
interface RecordBatch {
  readonly partition: number;
  readonly records: TopicRecord[];
  /** Of all values. */
  numBytes: number;
}

/** The records of a range, gathered by partition. */
async function* batchesOf(
  client: StreamClient,
  { topic, from, to }: TopicRange,
  { chunkRecords = defaultChunkRecords }: TopicMinibatchSourceOptions,
): AsyncGenerator<RecordBatch> {
  const maxRecords = Math.min(batchRecords, chunkRecords);
  const waiting = new Map<number, RecordBatch>();
  const partitions = [...from.keys()];
  for await (const record of readTopic(client, { topic, from, to, until: 'end', partitions })) {
    const { partition, value } = record;
    const batch = waiting.get(partition) ?? { partition, records: [], numBytes: 0 };
    batch.records.push(record);
    batch.numBytes += value?.length ?? 0;
    waiting.set(partition, batch);
    if (batch.records.length < maxRecords && batch.numBytes < batchBytes) continue;
    waiting.delete(partition);
    yield batch;
  }
  yield* waiting.values();
}
