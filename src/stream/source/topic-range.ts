import { defineOptions } from '../../config/options.js';
import { parseTime } from '../../config/point-in-time.js';
import { MillraceError } from '../../errors.js';
import { brokerError } from '../client/broker-error.js';
import type { StreamClient } from '../client/connection.js';
import { openPartitionFetcher, type OffsetPlace } from './partition-fetcher.js';

const section = 'Stream';

/** A place in every partition of a topic: the same for all, or an offset for each. */
export type RangePlace = OffsetPlace | bigint | ReadonlyMap<number, bigint>;

/** Options of programs that read a range of a topic. */
export const topicRangeOptions = defineOptions({
  topic: {
    type: 'string',
    description: 'Topic that the rows are read from, without a group',
    section,
  },
  from: {
    type: 'string',
    placeholder: 'PLACE',
    default: 'earliest',
    description:
      'Where the range begins: earliest, a time such as 2026-01-31T08:00Z or 2h for two hours ago, an offset, or P:OFFSET,... for some partitions',
    section,
  },
  to: {
    type: 'string',
    placeholder: 'PLACE',
    default: 'latest',
    description: 'Where it ends, written like --from; what stands there is not read',
    section,
  },
});

/** What `--from` or `--to` says. Throws MILLRACE_CONFIG_INVALID. */
export function parseRangePlace(flag: string, text: string, nowMs = Date.now()): RangePlace {
  if (text === 'earliest' || text === 'latest') return text;
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  if (!/^\d+:/.test(text)) return { timestampMs: Math.ceil(parseTime(flag, text, nowMs)) };
  return new Map(
    text.split(',').map((part) => {
      const [, partition, offset] = /^(\d{1,9}):(\d{1,18})$/.exec(part) ?? [];
      if (partition === undefined) {
        throw new MillraceError(
          'MILLRACE_CONFIG_INVALID',
          `${flag} takes PARTITION:OFFSET, such as 0:1200,1:1185, not "${part}".`,
        );
      }
      return [Number(partition), BigInt(offset)];
    }),
  );
}

/** A part of a topic that does not grow: of each partition, the records from an offset to before another. */
export interface TopicRange {
  readonly topic: string;
  readonly from: ReadonlyMap<number, bigint>;
  readonly to: ReadonlyMap<number, bigint>;
}

export interface TopicRangeOptions {
  readonly topic: string;
  /** Unless given, the first record that is there. A partition that a map leaves out is not read. */
  readonly from?: RangePlace | undefined;
  /** Behind the last record; unless given, behind what is committed now. */
  readonly to?: RangePlace | undefined;
}

/**
 * The offsets of a range. What has expired of it is left out; a time at the end leaves out the record of that time.
 *
 * Throws MILLRACE_TOPIC_MISSING, MILLRACE_BROKER_UNAVAILABLE, MILLRACE_CONFIG_INVALID for a partition that the topic does
 * not have.
 */
export async function findTopicRange(
  client: StreamClient,
  { topic, from = 'earliest', to = 'latest' }: TopicRangeOptions,
): Promise<TopicRange> {
  const fetcher = await openPartitionFetcher(client, topic);
  try {
    const all = await fetcher.refresh(true);
    const named = [from, to].flatMap((place) => (isMap(place) ? [...place.keys()] : []));
    const unknown = named.find((partition) => !all.includes(partition));
    if (unknown !== undefined) {
      throw new MillraceError(
        'MILLRACE_CONFIG_INVALID',
        `${topic} has no partition ${unknown}: it has ${all.length}.`,
      );
    }
    const partitions = all.filter((each) => [from, to].every((place) => !isMap(place) || place.has(each)));
    const [low, high] = await Promise.all([
      fetcher.offsetsOf(partitions, 'earliest'),
      fetcher.offsetsOf(partitions, 'latest'),
    ]);
    const place = async (wanted: RangePlace) => {
      const offsets = isOffsets(wanted) ? wanted : await fetcher.offsetsOf(partitions, wanted);
      return (partition: number) => {
        const offset = typeof offsets === 'bigint' ? offsets : offsets.get(partition)!;
        return within(low.get(partition)!, offset, high.get(partition)!);
      };
    };
    const [start, end] = [await place(from), await place(to)];
    return {
      topic,
      from: new Map(partitions.map((each) => [each, start(each)])),
      to: new Map(partitions.map((each) => [each, end(each)])),
    };
  } catch (error) {
    throw brokerError(error, client, `Reading ${topic}`);
  } finally {
    await fetcher.close();
  }
}

function isMap(place: RangePlace): place is ReadonlyMap<number, bigint> {
  return place instanceof Map;
}

function isOffsets(place: RangePlace): place is bigint | ReadonlyMap<number, bigint> {
  return typeof place === 'bigint' || isMap(place);
}

function within(low: bigint, offset: bigint, high: bigint): bigint {
  if (offset < low) return low;
  return offset > high ? high : offset;
}
