import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RowError } from '../../src/errors.js';
import { RowFault } from '../../src/features/row-faults.js';
import { createRowDecoder } from '../../src/features/row-decoder.js';
import { ModelPredictor, type Predictions } from '../../src/model/predictor.js';
import { ChunkAnswerer, type ChunkAnswererParts } from '../../src/serving/chunk-answerer.js';
import type { IncomingRecord } from '../../src/stream/source/topic-source.js';
import { PlainModel } from '../helpers/plain-model.js';
import { signOutputs, signPipeline, signSchema, signTarget } from '../helpers/sign-bundle.js';

const predictor = new ModelPredictor({
  schema: signSchema,
  pipeline: signPipeline(),
  target: signTarget,
  model: new PlainModel(2, 2, ([x, y]) => signOutputs(x, y)),
  name: 'sign',
  version: 3,
});

/** An answerer for records whose value is a number: the row has it as its id and its x. */
function answererWith(changed: Partial<ChunkAnswererParts> = {}) {
  return new ChunkAnswerer({
    decoder: createRowDecoder(signSchema, {
      format: 'json',
      decode: (value) => ({ id: Number(value), x: Number(value), y: 0, label: null }),
      prepare: () => Promise.resolve(),
    }),
    predictor,
    encoder: { format: 'json', encode: ({ id }) => Buffer.from(String(id as number)) },
    emits: () => true,
    outputTopic: 'predictions',
    deadLetters: { topic: 'observations.dlq', reporter: 'test' },
    onStage: () => {},
    retry: (work) => work(),
    ...changed,
  });
}

function chunkOf(...values: number[]) {
  const records = values.map((value, index): IncomingRecord => ({
    offset: BigInt(index),
    key: null,
    value: Buffer.from(String(value)),
    headers: {},
    timestampMs: 0,
    numBytes: 0,
  }));
  const owned = { topic: 'observations', partition: 0, lost: new AbortController().signal };
  return { owned, records, nextOffset: BigInt(values.length), numBytes: 0 };
}

/** The predictor, with something done to what it answers. */
const predictorThat = (change: (predictions: Predictions) => Predictions) => ({
  value: predictor.value.bind(predictor),
  predictMany: async (batch: Parameters<ModelPredictor['predictMany']>[0]) =>
    change(await predictor.predictMany(batch)),
});

describe('the answerer of chunks', () => {
  it('counts the rows that the pipeline lets go, and writes nothing for them', async () => {
    const answerer = answererWith({
      predictor: predictorThat((predictions) => {
        predictions.faults.add(1, new RowFault('MILLRACE_ROW_LABEL_UNKNOWN', 'unseen', 'skip'));
        return predictions;
      }),
    });
    const { answers, skipped } = await answerer.answer(chunkOf(1, 2, 3));
    assert.equal(skipped, 1);
    assert.deepEqual(
      answers.map(({ record }) => String(record.value)),
      ['1', '3'],
    );
  });

  it('makes a dead letter of a row whose prediction cannot be encoded', async () => {
    const answerer = answererWith({
      encoder: {
        format: 'json',
        encode: ({ id }) => {
          if (id === 2) throw new RowError('MILLRACE_ROW_FIELD_TYPE', 'id is 2');
          return Buffer.from('fine');
        },
      },
    });
    const { answers } = await answerer.answer(chunkOf(1, 2, 3));
    assert.deepEqual(
      answers.map(({ fault, record }) => [fault, record.topic]),
      [
        [undefined, 'predictions'],
        ['MILLRACE_ROW_FIELD_TYPE', 'observations.dlq'],
        [undefined, 'predictions'],
      ],
    );
  });

  it('refuses a predictor that answers another number of rows', async () => {
    const answerer = answererWith({
      predictor: predictorThat((predictions) => ({
        ...predictions,
        indices: predictions.indices.subarray(1),
      })),
    });
    await assert.rejects(answerer.answer(chunkOf(1, 2)), { code: 'MILLRACE_COUNT_MISMATCH' });
  });

  it('blames no row for a bug', async () => {
    const decode = () => {
      throw new TypeError('a bug');
    };
    const decoder = createRowDecoder(signSchema, {
      format: 'json',
      decode,
      prepare: () => Promise.resolve(),
    });
    await assert.rejects(answererWith({ decoder }).answer(chunkOf(1)), { message: 'a bug' });
  });

  it('prepares the decoder for every value, again when the registry is away', async () => {
    const prepared: (string | undefined)[][] = [];
    const answerer = answererWith({
      decoder: createRowDecoder(signSchema, {
        format: 'json',
        decode: (value) => ({ id: Number(value), x: 1, y: 0, label: null }),
        prepare: (values) => {
          prepared.push(values.map((value) => value?.toString()));
          return prepared.length === 1 ? Promise.reject(new Error('away')) : Promise.resolve();
        },
      }),
      retry: (work) => work().catch(work),
    });
    await answerer.answer(chunkOf(1, 2));
    assert.deepEqual(prepared, [
      ['1', '2'],
      ['1', '2'],
    ]);
  });

  it('times its stages once per chunk', async () => {
    const stages: string[] = [];
    await answererWith({ onStage: (stage) => stages.push(stage) }).answer(chunkOf(1, 2));
    assert.deepEqual(stages, ['decode', 'transform', 'encode']);
  });
});
