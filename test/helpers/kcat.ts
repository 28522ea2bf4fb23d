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
async function consume(topic: string, ...args: readonly string[]): Promise<Buffer> {
  const from = ['-C', '-b', testBrokers().join(','), '-t', topic, '-o', 'beginning', '-q'];
  const options = { encoding: 'buffer', maxBuffer: 1 << 30 } as const;
  return (await promisify(execFile)('kcat', [...from, ...args], options)).stdout;
}

/** Everything that a topic holds now, partition by partition in the order of the offsets. */
export async function readTopic(topic: string): Promise<KcatRecord[]> {
  const records = [...parse(await consume(topic, '-e', '-f', '%p %o %T %K %S\\n%k%s%h\\n'))];
  return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

function* parse(output: Buffer): Generator<KcatRecord> {
  for (let start = 0; start < output.length;) {
    const lineEnd = output.indexOf('\n', start);
    const line = output.toString('utf8', start, lineEnd);
    const [partition, offset, timestampMs, keyLength, valueLength] = line.split(' ').map(Number);
    let place = lineEnd + 1;
    const take = (length: number) => {
      if (length < 0) return null;
      place += length;
      return output.subarray(place - length, place);
    };
    const [key, value] = [take(keyLength), take(valueLength)];
    const end = output.indexOf('\n', place);
    yield { partition, offset, timestampMs, key, value, headers: output.toString('utf8', place, end) };
    start = end + 1;
  }
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
export async function untilTopicHolds(topic: string, count: number): Promise<void> {
  await consume(topic, '-c', String(count));
}
