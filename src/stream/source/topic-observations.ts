import { isRowFault, RowFault } from '../../features/row-faults.js';
import type { Decoder } from '../../record/codec.js';
import type { Observation } from '../../record/observation.js';
import type { StreamClient } from '../client/connection.js';
import { valueOf } from '../record-value.js';
import type { TopicRange } from './topic-range.js';
import { readTopic, type TopicRecord } from './topic-reader.js';

export interface TopicObservationsOptions {
  readonly decoder: Decoder;
  /** Is told of each record that cannot be decoded. */
  readonly onReject: (record: TopicRecord, fault: RowFault) => void;
  /** Ends the reading in order. */
  readonly signal?: AbortSignal;
}

/** Records that are decoded at one go. */
const batchRecords = 4096;

/**
 * The rows of a range of a topic, partition by partition, so that they come in the same order whenever they are read.
 *
 * Throws MILLRACE_TOPIC_MISSING, MILLRACE_BROKER_UNAVAILABLE, MILLRACE_REGISTRY_UNAVAILABLE.
 */
export async function* readTopicObservations(
  client: StreamClient,
  { topic, from, to }: TopicRange,
  { decoder, onReject, signal }: TopicObservationsOptions,
): AsyncGenerator<readonly Observation[]> {
  const decode = async (records: readonly TopicRecord[]): Promise<readonly Observation[]> => {
    const values = records.map(valueOf);
    await decoder.prepare(values.map((value) => (isRowFault(value) ? null : value)));
    return values.flatMap((value, row) => {
      const read = isRowFault(value) ? value : decodeOne(decoder, value);
      if (!isRowFault(read)) return [read];
      onReject(records[row], read);
      return [];
    });
  };
  for (const partition of from.keys()) {
    let records: TopicRecord[] = [];
    for await (const record of readTopic(client, {
      topic,
      from,
      to,
      until: 'end',
      partitions: [partition],
      signal,
    })) {
      records.push(record);
      if (records.length < batchRecords) continue;
      yield await decode(records);
      records = [];
    }
    if (records.length > 0) yield await decode(records);
  }
}

function decodeOne(decoder: Decoder, value: Buffer): Observation | RowFault {
  try {
    return decoder.decode(value);
  } catch (error) {
    return RowFault.of(error);
  }
}
