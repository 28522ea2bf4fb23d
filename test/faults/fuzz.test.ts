import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { allOptions } from '../../deploy/command-line.js';
import { readConfigFile } from '../../deploy/config-file.js';
import { serve } from '../../consumer/serve.js';
import { compileOptions } from '../../src/config/options.js';
import { MillraceError, RowError } from '../../src/errors.js';
import { createRowReader, schemaColumns } from '../../src/features/row-reader.js';
import { Pipeline } from '../../src/features/pipeline.js';
import { RowFault } from '../../src/features/row-faults.js';
import { readManifest } from '../../src/model/bundle-manifest.js';
import { readBundle } from '../../src/model/bundle.js';
import { planModel } from '../../src/model/model-spec.js';
import { avroSchemaOf } from '../../src/record/avro-schema.js';
import type { Decoder } from '../../src/record/codec.js';
import { createDecoder, createEncoder } from '../../src/record/codecs.js';
import { csvFormat } from '../../src/record/csv-format.js';
import { CsvSplitter } from '../../src/record/csv.js';
import { inferSchema } from '../../src/record/infer-schema.js';
import type { Observation } from '../../src/record/observation.js';
import { createRowParser } from '../../src/record/row-parser.js';
import { readSchemaFile } from '../../src/record/schema-file.js';
import { checkSchema } from '../../src/record/schema.js';
import { rowHeaders } from '../../src/stream/dead-letter.js';
import { readBatches } from '../../src/stream/client/fetched-batches.js';
import {
  encodePosition,
  encodeSettings,
  parsePosition,
  parseSettings,
  startPosition,
} from '../../src/stream/produce/position.js';
import { events, forgeManifestText, saveEvents } from '../helpers/event-bundle.js';
import { memorySchemaStore } from '../helpers/memory-schema-store.js';
import { mutations } from '../helpers/mutation.js';
import { isFull, seeds } from '../helpers/test-size.js';
import { testServer } from '../helpers/web-app.js';

const require = createRequire(import.meta.url);

const numRuns = isFull ? 20_000 : 300;
/** One reading of a few hundred bytes; generous, for a machine that does something else, too. */
const maxReadMs = 3_000;

/**
 * Gives damaged forms of something valid to whoever reads it. Only the typed errors may come of it, soon, and nothing
 * else may be changed by it.
 */
async function fuzz(
  valid: Buffer | string,
  read: (bytes: Buffer) => unknown,
  numRunsHere = numRuns,
): Promise<void> {
  const whole = Buffer.from(valid);
  await read(whole);
  const before = Reflect.ownKeys(Object.prototype).map(String).join();
  for (const seed of seeds(1)) {
    await fc.assert(
      fc.asyncProperty(mutations(whole), async (bytes) => {
        const startedAt = performance.now();
        try {
          await read(bytes);
        } catch (error) {
          if (!(error instanceof MillraceError) || error.code === 'MILLRACE_INTERNAL') throw error;
          assert.ok(error.message.length < 20_000, 'the message is as long as the input');
        }
        assert.ok(performance.now() - startedAt < maxReadMs, 'it took too long');
      }),
      { numRuns: numRunsHere, seed },
    );
  }
  assert.equal(Reflect.ownKeys(Object.prototype).map(String).join(), before);
}

const schema = checkSchema({
  name: 'all',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'f', type: 'float' },
    { name: 'd', type: 'double', nullable: true },
    { name: 'i', type: 'int' },
    { name: 'b', type: 'boolean' },
    { name: 's', type: 'string' },
    { name: 'v', type: 'vector', size: 3 },
    { name: 'p', type: 'sparse', size: 10 },
  ],
  key: 'id',
  features: ['f', 'd', 'i', 'b', 's', 'v', 'p'],
});
const observation: Observation = {
  ...{ id: 7, f: 0.5, d: -1e300, i: 3, b: true, s: 'näme' },
  ...{ v: [1, 2, 3], p: { indices: [1, 9], values: [0.5, 2] } },
};

/** Decodes and reads a row as a member does: a fault is a fault of the row. */
async function readRow(decoder: Decoder, bytes: Buffer): Promise<void> {
  await decoder.prepare([bytes]);
  let decoded: Observation | RowFault;
  try {
    decoded = decoder.decode(bytes);
    assert.equal(Object.getPrototypeOf(decoded), null);
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    decoded = RowFault.from(error);
  }
  createRowReader(schema).read([decoded]);
}

describe('whatever is damaged', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-fuzz-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const format of ['json', 'avro'] as const) {
    it(`a row in ${format} is a row or a fault`, async () => {
      const schemas = memorySchemaStore();
      const encoder = await createEncoder({ format, schema, schemas, subject: 's' });
      const decoder = createDecoder({ format, schema, schemas, maxBytes: 10_000 });
      await fuzz(encoder.encode(observation), (bytes) => readRow(decoder, bytes), 3 * numRuns);
    });
  }

  it('an Avro schema of the registry is used or refused, and so is every row that names it', async () => {
    const schemas = memorySchemaStore();
    const encoder = await createEncoder({ format: 'avro', schema, schemas, subject: 's' });
    const row = encoder.encode(observation);
    await fuzz(avroSchemaOf(schema), async (bytes) => {
      const store = { ...schemas, get: () => Promise.resolve(bytes.toString()) };
      await readRow(createDecoder({ format: 'avro', schema, schemas: store, maxBytes: 10_000 }), row);
    });
  });

  it('the headers and the batch of a record are read', async () => {
    const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
      RecordBatch: (batch: object) => Promise<{ readonly buffer: Buffer }>;
    };
    const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => unknown;
    const records = [0, 1, 2].map((offsetDelta) =>
      encodeRecord({
        ...{ offsetDelta, timestampDelta: offsetDelta, key: Buffer.from('k'), value: Buffer.from('value') },
        headers: { 'millrace.error.code': 'MILLRACE_ROW_EMPTY', traceparent: ['a', 'b'] },
      }),
    );
    for (const compression of [0, 1]) {
      const { buffer } = await RecordBatch({ records, compression, lastOffsetDelta: 2, producerId: 1 });
      await fuzz(buffer, async (bytes) => {
        const span = await readBatches(bytes);
        for (const { headers } of span?.records ?? []) rowHeaders(headers);
      });
    }
  });

  it('a CSV file gives rows and problems, and a schema or a sentence', async () => {
    const csv = 'id,x,"a ""name""",v0,v1\n1,0.5,"b, c",1,2\n2,-1e5,"two\nlines",3,4\n3,,plain,5,6\n';
    const format = csvFormat({ delimiter: ',', quote: '"', maxRowBytes: 1_000 });
    const parsed = checkSchema({
      name: 'csv',
      fields: [
        { name: 'id', type: 'long' },
        { name: 'x', type: 'float', nullable: true },
        { name: 'v', type: 'vector', size: 2 },
      ],
      features: ['x', 'v'],
    });
    await fuzz(
      csv,
      (bytes) => {
        const splitter = new CsvSplitter(format);
        const rows = [
          ...splitter.push(bytes.subarray(0, 40)),
          ...splitter.push(bytes.subarray(40)),
          ...splitter.end(),
        ];
        const [header, ...cells] = rows
          .filter(({ problem }) => problem === undefined)
          .map(({ fields }) => fields);
        if (header === undefined) return;
        const wide = cells.filter(({ length }) => length === header.length);
        inferSchema(header, wide, { key: 'id' });
        const parse = createRowParser(parsed, header);
        const observations = cells
          .map(parse)
          .flatMap((each) => ('observation' in each ? [each.observation] : []));
        createRowReader(parsed).read(observations);
      },
      3 * numRuns,
    );
  });

  it('a schema file is a schema or refused', async () => {
    const path = join(folder, 'schema.json');
    for (const valid of [JSON.stringify(schema), avroSchemaOf(schema)]) {
      await fuzz(valid, async (bytes) => {
        writeFileSync(path, bytes);
        const read = await readSchemaFile(path);
        createRowReader(read);
      });
    }
  });

  it('a configuration file is taken or refused', async () => {
    const path = join(folder, 'serve.yaml');
    const valid =
      'model: m\nmax-batch-rows: 512\nbrokers: [a:1, "b:2"]\ntls: true\nsasl-password: secret\n# c\n';
    await fuzz(valid, (bytes) => {
      writeFileSync(path, bytes);
      return compileOptions(allOptions(serve), { file: readConfigFile(path) });
    });
  });

  it('the manifest of a bundle is refused unless it says what it must', async () => {
    const bundle = join(folder, 'bundle');
    await saveEvents(bundle);
    const manifest = await readFile(join(bundle, 'manifest.json'), 'utf8');
    await fuzz(manifest, (bytes) => readManifest(bytes.toString()), 3 * numRuns);
    // Those who know the format change the digest, too.
    await fuzz(
      manifest,
      async (bytes) => {
        await forgeManifestText(bundle, bytes.toString());
        await readBundle(bundle);
      },
      Math.ceil(numRuns / 3),
    );
    await forgeManifestText(bundle, manifest);
    const weights = await readFile(join(bundle, 'weights.bin'));
    await fuzz(weights, async (bytes) => {
      await writeFile(join(bundle, 'weights.bin'), bytes);
      await readBundle(bundle);
    });
  });

  it('a pipeline and the specification of a model are built or refused', async () => {
    const columns = schemaColumns(events.schema);
    const parse = (bytes: Buffer): unknown => {
      try {
        return JSON.parse(bytes.toString());
      } catch {
        return undefined;
      }
    };
    await fuzz(JSON.stringify(events.pipeline), (bytes) => Pipeline.fromJSON(parse(bytes), columns));
    const spec = {
      inputShape: [8, 8, 1],
      layers: [
        { type: 'conv2d', filters: 4, kernelSize: 3, activation: 'relu' },
        { type: 'flatten' },
        { type: 'dropout', rate: 0.5 },
        { type: 'dense', units: 2, activation: 'softmax' },
      ],
    };
    await fuzz(JSON.stringify(spec), (bytes) => planModel(parse(bytes)));
  });

  it('an HTTP request is answered or cut off, and the next one is answered as ever', async (t) => {
    const { url, port, log } = await testServer(t, { limits: { requestTimeoutMs: 1_000 } });
    const body = '{"rows":[{"id":1,"x":1,"y":2},{"x":1}]}';
    const requests = [
      `POST /predict HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      `POST /predict HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
      'GET /model?a=b%20c HTTP/1.1\r\nhost: x\r\nauthorization: Bearer t\r\nconnection: close\r\n\r\n',
    ];
    for (const request of requests) {
      await fuzz(
        request,
        async (bytes) => {
          const socket = connect(port, '127.0.0.1');
          let answer = '';
          socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
          socket.on('error', () => {});
          socket.end(bytes);
          await once(socket, 'close');
          if (answer !== '') assert.match(answer, /^HTTP\/1\.1 (200|4\d\d|503) /);
        },
        Math.ceil(numRuns / 3),
      );
      assert.equal((await fetch(`${url}/health/live`)).status, 200);
    }
    assert.deepEqual(
      log.filter(({ level }) => level >= 50),
      [],
    );
  });

  it('the saved position of a producer is read or refused', async () => {
    const mark = { path: 'a.csv', numBytes: 10, fingerprint: 'ab', fileIndex: 0 };
    await fuzz(encodePosition({ ...startPosition, marks: [mark] }), parsePosition);
    await fuzz(encodeSettings({ schema, options: { delimiter: ',' } }), parseSettings);
  });
});
