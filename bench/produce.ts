import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { defineOptions } from '../src/config/options.js';
import { countOffsets } from '../src/stream/source/partition-offsets.js';
import { ensureTopics } from '../src/stream/topics/topics.js';
import { CommandError, runCommand } from '../deploy/bootstrap/command.mjs';
import { defineBenchmark } from './benchmark.js';
import { numPartitions } from './delivery/workload.js';
import { peersFolder, preparePython } from './peers/python.js';
import { keyDelimiter, writeMessages } from './produce/messages.js';
import { spreadOf } from './statistics.js';
import { withBroker, type StreamSurroundings } from './surroundings.js';
import { count } from './table.js';

/** A program that sends all rows to a topic and ends. */
interface Contender {
  readonly name: string;
  readonly kind: 'millrace' | 'variant' | 'peer';
  send(topic: string): Promise<unknown>;
}

const roles = { key: 'EventId', label: 'Label' };

/** The producer, from the CSV file to the acknowledgement of the last row. */
export const produce = defineBenchmark({
  name: 'produce',
  summary: 'the producer, compared with kcat and confluent-kafka sending the same messages',
  options: defineOptions({
    rows: { type: 'integer', default: 200_000, min: 1, description: 'Rows that are sent' },
    repeats: { type: 'integer', default: 5, min: 1, description: 'Runs of each producer' },
  }),
  quick: { rows: 2_000, repeats: 1 },
  async run({ rows, repeats }, bare) {
    return withBroker(bare, async (surroundings) => {
      const { folder, millrace, say } = surroundings;
      const [csv, messages] = [join(folder, 'rows.csv'), join(folder, 'messages.txt')];
      await millrace('generate', '--rows', String(rows), '--seed', '2', '--output', csv);
      const numBytes = await writeMessages(csv, roles, messages);
      const contenders = [
        ...ownProducers(csv, surroundings),
        ...(await kcat(messages, surroundings)),
        ...(await confluentKafka(messages, surroundings)),
      ];
      const seconds = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
      for (let repeat = 0; repeat < repeats; repeat++) {
        for (const contender of repeat % 2 === 0 ? contenders : contenders.toReversed()) {
          const took = await measure(contender, rows, surroundings);
          seconds.get(contender.name)!.push(took);
          say(`${contender.name}: ${count(rows / took)} rows/s`);
        }
      }
      const rates = contenders.map(({ name, kind }) => {
        return { label: name, kind, spread: spreadOf(seconds.get(name)!.map((took) => rows / took)) };
      });
      return {
        results: { rows, numBytes, seconds: Object.fromEntries(seconds) },
        sections: [
          {
            title: 'Producing',
            text: `${count(rows)} rows of ${((await stat(csv)).size / 1e6).toFixed(1)} MB CSV, ${(numBytes / 1e6).toFixed(1)} MB as JSON with keys, to ${numPartitions} partitions; from the start of the process to its end, median of ${repeats} runs with the lowest and the highest. kcat and confluent-kafka send the JSON, which is made before.`,
            table: [
              ['producer', 'rows/s', 'MB/s'],
              ...rates.map(({ label, spread: { median, min, max } }) => [
                label,
                `${count(median)} (${count(min)}–${count(max)})`,
                ((median * numBytes) / rows / 1e6).toFixed(1),
              ]),
            ],
            chart: { title: 'Producing rows', unit: 'rows/s', groups: [{ label: '', bars: rates }] },
          },
        ],
      };
    });
  },
});

function ownProducers(csv: string, { millrace }: StreamSurroundings): Contender[] {
  const flags = ['--key', roles.key, '--label', roles.label];
  return (['exactly-once', 'at-least-once'] as const).map((delivery) => ({
    name: `millrace, ${delivery.replaceAll('-', ' ')}`,
    kind: delivery === 'exactly-once' ? 'millrace' : 'variant',
    send: (topic) => millrace('produce', csv, '--topic', topic, '--delivery', delivery, ...flags),
  }));
}

/** kcat, with the guarantees of `--delivery at-least-once`; nothing where it is not installed. */
async function kcat(messages: string, { brokers, say }: StreamSurroundings): Promise<Contender[]> {
  try {
    await runCommand('kcat', ['-V']);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    say(`${error.message}: measured without it`);
    return [];
  }
  const guarantees = ['-X', 'enable.idempotence=true', '-X', 'partitioner=murmur2_random'];
  const send = (topic: string) =>
    runCommand('kcat', ['-P', '-b', brokers, '-t', topic, '-K', keyDelimiter, ...guarantees, '-l', messages]);
  return [{ name: 'kcat', kind: 'peer', send }];
}

/** The producer that one would otherwise write; nothing where there is no Python for it. */
async function confluentKafka(
  messages: string,
  { brokers, cache, say }: StreamSurroundings,
): Promise<Contender[]> {
  const python = await preparePython(cache);
  if ('reason' in python) {
    say(`${python.reason}: measured without confluent-kafka`);
    return [];
  }
  const send = (topic: string) =>
    runCommand(python.command, [
      ...[join(peersFolder, 'produce.py'), '--brokers', brokers, '--topic', topic],
      ...['--messages', messages, '--delimiter', keyDelimiter],
    ]);
  return [{ name: 'confluent-kafka', kind: 'peer', send }];
}

/** Seconds until all rows are acknowledged, in a topic that is there already. Throws when some are not there. */
async function measure(
  contender: Contender,
  numRows: number,
  { client, uniqueName, signal }: StreamSurroundings,
): Promise<number> {
  signal.throwIfAborted();
  const topic = uniqueName('produce');
  await ensureTopics(client, [{ topic, numPartitions }], { create: true });
  const startedAt = performance.now();
  await contender.send(topic);
  const seconds = (performance.now() - startedAt) / 1000;
  const numOffsets = await countOffsets(client, topic);
  const admin = client.kafka.admin();
  await admin.connect();
  // The disk need not hold the rows of all runs.
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
  if (numOffsets < numRows) throw new Error(`${contender.name} wrote ${numOffsets} of ${numRows} rows`);
  return seconds;
}
