import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { testBrokers } from './broker.js';

/** A record as kcat, which knows nothing of our client, reads it. */
export interface KcatRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** The headers as `name=value,name=value`. */
  readonly headers: string;
}

/** What kcat prints of a topic from its beginning, with further arguments. */
async function consume(
  topic: string,
  brokers: readonly string[],
  ...args: readonly string[]
): Promise<Buffer> {
  const from = ['-C', '-b', brokers.join(','), '-t', topic, '-o', 'beginning', '-q'];
  const options = { encoding: 'buffer', maxBuffer: 1 << 30 } as const;
  return (await promisify(execFile)('kcat', [...from, ...args], options)).stdout;
}

/** Everything that a topic holds now, partition by partition in the order of the offsets. */
export async function readTopic(
  topic: string,
  brokers: readonly string[] = testBrokers(),
): Promise<KcatRecord[]> {
  const records = [...parseRecords(await consume(topic, brokers, '-e', '-f', recordFormat)).records];
  return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

/** How kcat is asked to print records for `parseRecords`; the end is nothing that a header of a test holds. */
export const recordFormat = '%p %o %T %K %S\\n%k%s%h\\x1e\\x1f\\n';
const recordEnd = '\x1e\x1f\n';

/** The whole records at the beginning of what kcat printed, and the bytes behind them. */
export function parseRecords(output: Buffer): { readonly records: KcatRecord[]; readonly rest: Buffer } {
  const records: KcatRecord[] = [];
  let start = 0;
  for (;;) {
    const lineEnd = output.indexOf('\n', start);
    if (lineEnd < 0) break;
    const line = output.toString('latin1', start, lineEnd);
    const [partition, offset, timestampMs, keyLength, valueLength] = line.split(' ').map(Number);
    const valueStart = lineEnd + 1 + Math.max(0, keyLength);
    const headersStart = valueStart + Math.max(0, valueLength);
    const end = output.indexOf(recordEnd, headersStart);
    if (headersStart > output.length || end < 0) break;
    records.push({
      partition,
      offset,
      timestampMs,
      key: keyLength < 0 ? null : output.subarray(lineEnd + 1, valueStart),
      value: valueLength < 0 ? null : output.subarray(valueStart, headersStart),
      headers: output.toString('utf8', headersStart, end),
    });
    start = end + recordEnd.length;
  }
  return { records, rest: output.subarray(start) };
}

/** One header of a record; undefined when it has none of that name. */
export function headerOf({ headers }: KcatRecord, name: string): string | undefined {
  return new RegExp(`(?:^|,)${name.replaceAll('.', '\\.')}=([^,]*)`).exec(headers)?.[1];
}

/** The value of a record as JSON. */
export function jsonOf<T>({ value }: KcatRecord): T {
  return JSON.parse(String(value)) as T;
}

/** Waits until a topic, which must be there, holds that many records. */
export async function untilTopicHolds(
  topic: string,
  count: number,
  brokers: readonly string[] = testBrokers(),
): Promise<void> {
  await consume(topic, brokers, '-c', String(count));
}
