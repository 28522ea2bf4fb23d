/**
 * Writes rows to a topic at an even rate, as cheaply as can be: they are copied from another topic, of which it has read
 * as many as it needs before it begins. A process of its own, so that nobody who measures waits for it.
 *
 *   node dist/bench/serve/pace.js FROM TO ROWS RATE
 *
 * The timestamp of a row is the moment at which it was due, whatever was in the way.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { readEnvironment } from '../../src/config/environment.js';
import { compileOptions } from '../../src/config/options.js';
import { connect, connectionOptions } from '../../src/stream/client/connection.js';
import { createPublisher } from '../../src/stream/publisher/publisher.js';
import { readTopic } from '../../src/stream/source/topic-reader.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { numPartitions } from '../delivery/workload.js';

const [from, to, rows, rate] = process.argv.slice(2);
const [numRows, rowsPerSecond] = [Number(rows), Number(rate)];
const tickMs = 5;
const maxKept = 20_000;

const logger = createLogger({ name: 'pace', level: 'warn' });
const client = connect(compileOptions(connectionOptions, { environment: readEnvironment() }), logger);
const kept: { readonly key: Buffer | null; readonly value: Buffer | null }[] = [];
for await (const { key, value } of readTopic(client, { topic: from, from: 'earliest', until: 'end' })) {
  if (kept.push({ key, value }) === Math.min(maxKept, numRows)) break;
}
const publisher = await createPublisher(client, { compression: 'none' });
const startedAtMs = Date.now();
let sent = 0;
let last = Promise.resolve();
while (sent < numRows) {
  const due = Math.min(numRows, Math.floor(((Date.now() - startedAtMs) / 1000) * rowsPerSecond));
  const portion = Array.from({ length: due - sent }, (_, index) => ({
    ...kept[(sent + index) % kept.length],
    topic: to,
    partition: (sent + index) % numPartitions,
    timestampMs: startedAtMs + Math.floor(((sent + index) / rowsPerSecond) * 1000),
  }));
  sent = due;
  last = publisher.send(portion);
  await delay(tickMs);
}
await last;
await publisher.close();
