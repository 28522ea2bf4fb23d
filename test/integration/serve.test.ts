import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createDecoder, createEncoder, openSchemaStore } from '../../src/record/codecs.js';
import { predictionSchema } from '../../src/model/prediction.js';
import type { Observation } from '../../src/record/observation.js';
import type { OutgoingRecord } from '../../src/stream/publisher/produce-request.js';
import { createPublisher, type Publisher } from '../../src/stream/publisher/publisher.js';
import { ensureTopics } from '../../src/stream/topics/topics.js';
import { uniqueName } from '../helpers/broker.js';
import { headerOf, jsonOf, readTopic } from '../helpers/kcat.js';
import { ServingProcess } from '../helpers/serving-process.js';
import { saveSignBundle, signOutputs, signSchema, signTarget } from '../helpers/sign-bundle.js';
import { testClient } from '../helpers/stream-client.js';
import { missingTool } from '../helpers/tool.js';

interface Prediction {
  readonly id: number;
  readonly prediction: readonly [number, number];
  readonly predicted_label: string;
}

const client = testClient();
const json = (value: unknown) => Buffer.from(JSON.stringify(value));

/** Row number `id`: its numbers and with them its class follow from it. */
const numbersOf = (id: number) => ({ x: Math.fround(Math.sin(id)), y: Math.fround(Math.cos(3 * id) / 2) });
const observation = (id: number): Observation => ({ id, ...numbersOf(id), label: null });

describe('millrace serve', { skip: missingTool('kcat') }, () => {
  let model: string;
  let publisher: Publisher;
  before(async () => {
    model = await saveSignBundle();
    publisher = await createPublisher(client, { compression: 'none' });
  });
  after(() => publisher.close());

  /** Topics and a group of its own, and the options of its members. */
  async function newStream(numPartitions: number) {
    const topic = uniqueName('serve');
    await ensureTopics(client, [{ topic, numPartitions }], { create: true });
    const options = {
      model,
      topic,
      output: `${topic}-out`,
      group: `${topic}-group`,
      'session-timeout-ms': 6_000,
    };
    const row = (id: number): OutgoingRecord => ({
      topic,
      key: `key-${id}`,
      value: json(observation(id)),
      headers: { traceparent: `00-${id}` },
    });
    const publish = (start: number, count: number) =>
      publisher.send(Array.from({ length: count }, (_, index) => row(start + index)));
    return { topic, options, publish, output: options.output, letters: `${topic}.dlq` };
  }

  /** Publishes some thousand rows a second until it is stopped, and then says how many. */
  function startLoad(publish: (start: number, count: number) => Promise<void>) {
    let isStopped = false;
    const loading = (async () => {
      for (let published = 0; ; published += 100) {
        if (isStopped) return published;
        await publish(published, 100);
        await delay(20);
      }
    })();
    return {
      stop: () => {
        isStopped = true;
        return loading;
      },
    };
  }

  async function answeredBy(members: readonly ServingProcess[], rows: number): Promise<void> {
    for (;;) {
      const counts = await Promise.all(members.map((member) => member.rows()));
      if (counts.reduce((sum, count) => sum + count, 0) >= rows) return;
      await delay(50);
    }
  }

  it('shares four partitions between two members and answers every row as the model does', async () => {
    const { topic, options, publish, output } = await newStream(4);
    const members = [new ServingProcess(options), new ServingProcess(options)];
    for (const member of members) await member.line('partitions assigned');
    await publish(0, 5_000);
    await answeredBy(members, 5_000);
    const summaries = await Promise.all(members.map((member) => member.stop()));
    assert.equal(Number(summaries[0]['rows']) + Number(summaries[1]['rows']), 5_000);

    const [rows, answers] = [await readTopic(topic), await readTopic(output)];
    assert.equal(answers.length, 5_000);
    const inputs = new Map(rows.map((row) => [`${row.partition}/${row.offset}`, row]));
    for (const answer of answers) {
      const place = `${headerOf(answer, 'millrace.source.partition')}/${headerOf(answer, 'millrace.source.offset')}`;
      const input = inputs.get(place)!;
      inputs.delete(place);
      const { id, prediction, predicted_label } = jsonOf<Prediction>(answer);
      const { x, y } = numbersOf(id);
      const [, s] = signOutputs(x, y);
      assert.equal(jsonOf<{ id: number }>(input).id, id);
      assert.equal(String(answer.key), `key-${id}`);
      assert.equal(headerOf(answer, 'traceparent'), `00-${id}`);
      assert.equal(headerOf(answer, 'millrace.source.topic'), topic);
      assert.equal(answer.timestampMs, input.timestampMs);
      assert.equal(answer.partition, input.partition);
      assert.ok(Math.abs(prediction[1] - s) < 1e-5, `${prediction[1]} is not ${s}`);
      if (Math.abs(s - 0.5) > 0.06) assert.equal(predicted_label, s > 0.5 ? 's' : 'b');
    }
    assert.equal(inputs.size, 0);
  });

  it('makes dead letters of poison of many kinds and answers what stands between', async () => {
    const { topic, options, output, letters } = await newStream(1);
    const bytes = (...values: number[]) => Buffer.from(values);
    const text = (value: string) => Buffer.from(value);
    const poison: [code: string, value: Buffer | null][] = [
      ['MILLRACE_ROW_EMPTY', null],
      ['MILLRACE_ROW_UNDECODABLE', text('')],
      ['MILLRACE_ROW_UNDECODABLE', text('hello')],
      ['MILLRACE_ROW_UNDECODABLE', text('{"id":1,"x":1,"y":')],
      ['MILLRACE_ROW_UNDECODABLE', bytes(0x7b, 0x22, 0x69, 0x64, 0x22, 0x3a, 0x22, 0xe2, 0x82)],
      ['MILLRACE_ROW_UNDECODABLE', bytes(0xff, 0xfe, 0x00, 0x01)],
      ['MILLRACE_ROW_UNDECODABLE', text('[1,2,3]')],
      ['MILLRACE_ROW_UNDECODABLE', text('null')],
      ['MILLRACE_ROW_UNDECODABLE', text('"x"')],
      ['MILLRACE_ROW_COLUMN_MISSING', text('{}')],
      ['MILLRACE_ROW_COLUMN_MISSING', json({ id: 1, x: 1 })],
      ['MILLRACE_ROW_COLUMN_MISSING', text('{"id":1,"__proto__":{"x":1,"y":2}}')],
      ['MILLRACE_ROW_COLUMN_MISSING', json({ id: 1, x: null, y: 2 })],
      ['MILLRACE_ROW_FIELD_TYPE', json({ id: 1, x: 'NaN', y: 'Infinity' })],
      ['MILLRACE_ROW_FIELD_TYPE', json({ id: 1, x: [1], y: 2 })],
      ['MILLRACE_ROW_NOT_FINITE', text('{"id":1,"x":1e400,"y":2}')],
      ['MILLRACE_ROW_NOT_FINITE', text('{"id":1,"x":1e39,"y":2}')],
      ['MILLRACE_ROW_TOO_LARGE', json({ id: 1, x: 1, y: 2, label: 'x'.repeat(200_000) })],
      ['MILLRACE_ROW_TOO_LARGE', text('['.repeat(900_000))],
      ['MILLRACE_ROW_UNDECODABLE', text('['.repeat(50_000))],
      ['MILLRACE_ROW_UNDECODABLE', text('{"x":'.repeat(10_000))],
    ];
    const member = new ServingProcess({ ...options, 'max-row-bytes': 100_000 });
    const rows = poison.flatMap(([, value], index): OutgoingRecord[] => [
      { topic, key: `key-${index}`, value: json(observation(index)) },
      { topic, key: `bad-${index}`, value, headers: { traceparent: `00-${index}` } },
    ]);
    await publisher.send(rows);
    await answeredBy([member], rows.length);
    const summary = await member.stop();
    assert.equal(summary['predictions'], poison.length);
    assert.equal(summary['deadLetters'], poison.length);

    assert.deepEqual(
      (await readTopic(output)).map((answer) => jsonOf<Prediction>(answer).id),
      [...poison.keys()],
    );
    const found = await readTopic(letters);
    assert.deepEqual(
      found.map((letter) => headerOf(letter, 'millrace.error.code')),
      poison.map(([code]) => code),
    );
    for (const [index, letter] of found.entries()) {
      assert.deepEqual(letter.value, poison[index][1]);
      assert.equal(String(letter.key), `bad-${index}`);
      assert.equal(headerOf(letter, 'traceparent'), `00-${index}`);
      assert.equal(headerOf(letter, '__connect.errors.topic'), topic);
      assert.equal(headerOf(letter, '__connect.errors.partition'), '0');
      assert.equal(headerOf(letter, '__connect.errors.offset'), String(2 * index + 1));
      assert.equal(headerOf(letter, '__connect.errors.connector.name'), options.group);
      assert.equal(headerOf(letter, '__connect.errors.exception.class.name'), poison[index][0]);
      assert.ok(headerOf(letter, '__connect.errors.exception.message'));
    }
  });

  it('reads and writes Avro, and makes dead letters of what is none', async () => {
    const { topic, options, output, letters } = await newStream(1);
    const folder = await mkdtemp(join(tmpdir(), 'millrace-schemas-'));
    const stored = {
      registry: undefined,
      registryAuth: undefined,
      registryTimeoutMs: 1_000,
      schemaFolder: folder,
    };
    const schemas = openSchemaStore(stored);
    const encoder = await createEncoder({
      format: 'avro',
      schema: signSchema,
      schemas,
      subject: `${topic}-value`,
    });
    const good = encoder.encode(observation(7));
    const withId = (id: number) =>
      Buffer.concat([good.subarray(0, 1), Buffer.from([0, 0, 0, id]), good.subarray(5)]);
    const poison: [code: string, value: Buffer][] = [
      ['MILLRACE_ROW_UNDECODABLE', Buffer.concat([Buffer.from([1]), good.subarray(1)])],
      ['MILLRACE_ROW_SCHEMA_UNKNOWN', withId(99)],
      ['MILLRACE_ROW_UNDECODABLE', good.subarray(0, 3)],
      ['MILLRACE_ROW_UNDECODABLE', good.subarray(0, good.length - 2)],
      ['MILLRACE_ROW_UNDECODABLE', json(observation(1))],
    ];
    const member = new ServingProcess({ ...options, format: 'avro', 'schema-folder': folder });
    await publisher.send(
      [good, ...poison.map(([, value]) => value)].map((value) => ({ topic, key: 'k', value })),
    );
    await answeredBy([member], 1 + poison.length);
    await member.stop();
    const found = await readTopic(letters);
    assert.deepEqual(
      found.map((letter) => headerOf(letter, 'millrace.error.code')),
      poison.map(([code]) => code),
    );
    assert.deepEqual(
      found.map(({ value }) => value),
      poison.map(([, value]) => value),
    );
    const [answer, ...more] = await readTopic(output);
    assert.equal(more.length, 0);
    assert.equal(answer.value![0], 0);
    const outputSchema = predictionSchema(signSchema, signTarget, 2);
    const decoder = createDecoder({ format: 'avro', schema: outputSchema, schemas, maxBytes: 1_000 });
    await decoder.prepare([answer.value]);
    assert.equal(decoder.decode(answer.value!)['id'], 7);
  });

  it('forwards only the rows that --emit names', async () => {
    const { options, publish, output } = await newStream(2);
    const member = new ServingProcess({ ...options, emit: 'label=s' });
    await publish(0, 500);
    await answeredBy([member], 500);
    const summary = await member.stop();
    const answers = (await readTopic(output)).map((answer) => jsonOf<Prediction>(answer));
    assert.ok(answers.length > 50 && answers.length < 450);
    assert.ok(answers.every(({ predicted_label }) => predicted_label === 's'));
    assert.equal(summary['predictions'], answers.length);
    assert.equal(summary['filtered'], 500 - answers.length);
  });

  it('finishes what is in flight at SIGTERM, and the next member goes on: every row once', async () => {
    const { options, publish, output } = await newStream(4);
    const load = startLoad(publish);
    let answered = 0;
    for (let life = 0; life < 3; life++) {
      const member = new ServingProcess({ ...options, 'max-in-flight-rows': 2_000 });
      await answeredBy([member], 1_500);
      answered += Number((await member.stop())['rows']);
    }
    const published = await load.stop();
    const last = new ServingProcess(options);
    await answeredBy([last], published - answered);
    await last.stop();
    const ids = (await readTopic(output))
      .map((answer) => jsonOf<Prediction>(answer).id)
      .sort((a, b) => a - b);
    assert.deepEqual(
      ids,
      Array.from({ length: published }, (_, index) => index),
    );
  });

  it('loses nothing when a member is killed and when one joins, under load', async () => {
    const { options, publish, output } = await newStream(4);
    const load = startLoad(publish);
    const first = new ServingProcess(options);
    await answeredBy([first], 1_000);
    const second = new ServingProcess(options);
    await second.line('partitions assigned');
    await answeredBy([second], 500);
    first.signal('SIGKILL');
    assert.equal(await first.exit(), 'SIGKILL');
    const published = await load.stop();
    // The group notices a killed member when its session is over.
    while (!(await second.hasCaughtUp(4))) await delay(50);
    await second.stop();
    const ids = new Set((await readTopic(output)).map((answer) => jsonOf<Prediction>(answer).id));
    assert.deepEqual(
      [...ids].sort((a, b) => a - b),
      Array.from({ length: published }, (_, index) => index),
    );
  });

  it('answers health, metrics and predictions over HTTP', async () => {
    const { options, publish } = await newStream(1);
    const member = new ServingProcess(options);
    await member.line('partitions assigned');
    const url = await member.url();
    const ready = await fetch(`${url}/health/ready`);
    assert.equal(ready.status, 200);
    assert.deepEqual(await ready.json(), { live: true, ready: true, state: 'running', reasons: [] });
    await publish(0, 100);
    await answeredBy([member], 100);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.match(metrics, new RegExp(`millrace_consumer_lag\\{topic="${options.topic}",partition="0"\\} 0`));
    if (missingTool('promtool') === false) {
      const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
        input: metrics,
        encoding: 'utf8',
      });
      assert.equal(stdout + stderr, '');
    }
    const response = await fetch(`${url}/predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ rows: [observation(5)] }),
    });
    const { results } = (await response.json()) as { results: { value: Prediction }[] };
    assert.equal(results[0].value.id, 5);
    await member.stop();
  });

  it('says in one sentence what is missing, and ends with a code', async () => {
    const { options } = await newStream(1);
    const cases: [Record<string, string>, code: number, message: RegExp][] = [
      [
        { brokers: '127.0.0.1:1' },
        4,
        /^millrace: No broker answers at 127\.0\.0\.1:1 .*\[MILLRACE_BROKER_UNAVAILABLE\]\n$/,
      ],
      [
        { topic: 'nobody-made-this' },
        2,
        /^millrace: The topic nobody-made-this is not there.*\[MILLRACE_TOPIC_MISSING\]\n$/,
      ],
      [{ model: '/nowhere' }, 2, /^millrace: .*\/nowhere.*\[MILLRACE_FILE_UNUSABLE\]\n$/],
      [{ emit: 'label=x' }, 2, /^millrace: --emit label=x names no class.*\[MILLRACE_CONFIG_INVALID\]\n$/],
    ];
    for (const [changed, code, message] of cases) {
      const member = new ServingProcess({ ...options, ...changed });
      assert.equal(await member.exit(), code);
      assert.match(member.message, message);
    }
  });
});
