import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createJsonEncoder } from '../../../src/record/json-codec.js';
import type { Observation } from '../../../src/record/observation.js';
import { createPace } from '../../../src/stream/produce/pace.js';
import { produceRows, recordKey, type ProduceRowsOptions } from '../../../src/stream/produce/rows.js';
import type { OutgoingRecord } from '../../../src/stream/publisher/produce-request.js';
import { RecordTooLargeError } from '../../../src/stream/publisher/publisher.js';

interface Row {
  readonly observation: Observation;
  readonly line: number;
}
const encoder = createJsonEncoder({ name: 's', fields: [{ name: 'x', type: 'int' }], features: ['x'] });

async function* chunksOf(...sizes: number[]): AsyncGenerator<readonly Row[]> {
  let line = 0;
  for (const size of sizes) {
    yield Array.from({ length: size }, () => ({ observation: { x: ++line }, line }));
    await Promise.resolve();
  }
}

/** Runs it over a publisher that keeps what it is sent. */
async function run(rows: AsyncIterable<readonly Row[]>, options: Partial<ProduceRowsOptions<Row>> = {}) {
  const sent: OutgoingRecord[] = [];
  const unsent: [number, string][] = [];
  let [numSent, numBytes] = [0, 0];
  await produceRows(rows, {
    topic: 't',
    keyField: 'x',
    encoder,
    publisher: { send: (records) => Promise.resolve(void sent.push(...records)) },
    pace: createPace(undefined),
    signal: new AbortController().signal,
    onUnsent: ({ row, fault }) => Promise.resolve(void unsent.push([row.line, fault.code])),
    onSent: (rows, bytes) => {
      numSent += rows.length;
      numBytes += bytes;
    },
    ...options,
  });
  return { sent, unsent, numSent, numBytes };
}

describe('producing rows', () => {
  it('sends every row once, in order, with its key, and counts what was acknowledged', async () => {
    const { sent, numSent, numBytes } = await run(chunksOf(3, 5_000, 1));
    assert.equal(numSent, 5_004);
    assert.deepEqual(
      sent.map(({ value }) => (JSON.parse(String(value)) as { x: number }).x),
      Array.from({ length: 5_004 }, (_, i) => i + 1),
    );
    assert.deepEqual(sent[1], { topic: 't', key: '2', value: Buffer.from('{"x":2}') });
    assert.equal(
      numBytes,
      sent.reduce((sum, { key, value }) => sum + key!.length + value!.length, 0),
    );
  });

  it('ends after the limit, and does not read on', async () => {
    let numRead = 0;
    async function* counted() {
      for await (const chunk of chunksOf(10, 10, 10)) {
        numRead += chunk.length;
        yield chunk;
      }
    }
    const { sent } = await run(counted(), { limit: 15 });
    assert.deepEqual([sent.length, numRead], [15, 20]);
  });

  it('has one portion on its way while the next is made ready, and no more', async () => {
    const acknowledge: (() => void)[] = [];
    let numRead = 0;
    async function* counted() {
      for await (const chunk of chunksOf(1, 1, 1, 1)) {
        numRead += 1;
        yield chunk;
      }
    }
    const running = run(counted(), {
      publisher: { send: () => new Promise((resolve) => acknowledge.push(resolve)) },
    });
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    for (let i = 1; i <= 4; i++) {
      await settle();
      assert.deepEqual([acknowledge.length, numRead], [i, Math.min(4, i + 1)]);
      acknowledge[i - 1]();
    }
    await running;
  });

  it('passes on rows that cannot be written, and sends their neighbours', async () => {
    async function* rows() {
      yield [1, 2.5, 3, 4].map((x, i) => ({ observation: { x }, line: i + 1 }));
      await Promise.resolve();
    }
    const { unsent, numSent } = await run(rows(), {
      publisher: { send: () => Promise.reject(new RecordTooLargeError([1], ['t'])) },
    });
    // 2.5 is no int; of the three that are left, the second one is too large.
    assert.deepEqual(unsent, [
      [2, 'MILLRACE_ROW_FIELD_TYPE'],
      [3, 'MILLRACE_ROW_TOO_LARGE'],
    ]);
    assert.equal(numSent, 2);
  });

  it('fails when the publisher does', async () => {
    const publisher = { send: () => Promise.reject(new Error('down')) };
    await assert.rejects(run(chunksOf(1, 1, 1), { publisher }), /down/);
  });

  it('finishes what is in flight when it is told to end', async () => {
    const stop = new AbortController();
    const { numSent } = await run(chunksOf(1, 1, 1), {
      signal: stop.signal,
      publisher: { send: () => Promise.resolve(stop.abort()) },
    });
    assert.equal(numSent, 1);
  });

  it('keys records by the text of a value', () => {
    const key = (x: Observation[string]) => recordKey({ x }, 'x');
    assert.deepEqual(
      [key(7), key('a'), key(true), key(null), key([1, 2])],
      ['7', 'a', 'true', null, '[1,2]'],
    );
    assert.deepEqual([recordKey({}, 'x'), recordKey({ x: 1 }, undefined)], [null, null]);
  });
});
