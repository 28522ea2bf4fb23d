import { readTopic } from '../../src/stream/source/topic-reader.js';
import { MillraceError } from '../../src/errors.js';
import { quantile } from '../statistics.js';
import type { StreamSurroundings } from '../surroundings.js';
import { serving, type DeliveryName } from './serving-run.js';
import { produceRows, type Workload } from './workload.js';

/** From the timestamp of a row to the arrival of its prediction at a reader of committed records, in milliseconds. */
export interface Latency {
  readonly delivery: DeliveryName;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Pace {
  readonly rowsPerSecond: number;
  readonly seconds: number;
}

/** Of the rows, this share at the beginning is not counted: code is compiled and connections are made. */
const warmUp = 0.2;
const graceMs = 30_000;

/** Streams rows evenly through a member, as a producer, a member and a reader that know nothing of each other. */
export async function measureLatency(
  bundle: string,
  { file }: Workload,
  { rowsPerSecond, seconds }: Pace,
  delivery: DeliveryName,
  surroundings: StreamSurroundings,
): Promise<Latency> {
  const topic = surroundings.uniqueName('paced-rows');
  const numRows = rowsPerSecond * seconds;
  // The first row makes the topic.
  await produceRows({ file, topic }, surroundings, '--limit', '1');
  return serving({ bundle, topic, delivery }, surroundings, async ({ output }) => {
    const deadline = AbortSignal.timeout(seconds * 1000 + graceMs);
    const signal = AbortSignal.any([surroundings.signal, deadline]);
    // In transactions, rows would come in portions.
    const asTheyCome = ['--delivery', 'at-least-once'];
    const paced = ['--rate', String(rowsPerSecond), '--limit', String(numRows), ...asTheyCome];
    const [latencies] = await Promise.all([
      readLatencies(output, numRows + 1, signal, surroundings),
      produceRows({ file, topic }, surroundings, ...paced),
    ]);
    if (latencies.length <= numRows) {
      throw new MillraceError(
        'MILLRACE_COUNT_MISMATCH',
        `${latencies.length} predictions of ${numRows + 1} rows were there in time; please report this.`,
      );
    }
    const counted = latencies.slice(1 + warmUp * numRows);
    return { delivery, p50Ms: quantile(counted, 0.5), p99Ms: quantile(counted, 0.99) };
  });
}

/** Latencies in the order of arrival, in milliseconds; less than `numRows` if the signal aborts before. */
export async function readLatencies(
  topic: string,
  numRows: number,
  signal: AbortSignal,
  { client }: Pick<StreamSurroundings, 'client'>,
): Promise<number[]> {
  const latencies: number[] = [];
  for await (const { timestampMs } of readTopic(client, {
    topic,
    from: 'earliest',
    until: 'forever',
    signal,
  })) {
    latencies.push(Date.now() - timestampMs);
    if (latencies.length === numRows) break;
  }
  return latencies;
}
