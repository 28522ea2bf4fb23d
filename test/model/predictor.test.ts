import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MillraceError } from '../../src/errors.js';
import { Pipeline } from '../../src/features/pipeline.js';
import { RowFault, isRowFault } from '../../src/features/row-faults.js';
import { createRowReader, schemaColumns } from '../../src/features/row-reader.js';
import { LabelIndexTransformer } from '../../src/features/transformers/label-index.js';
import { StandardTransformer } from '../../src/features/transformers/standard.js';
import type { Model } from '../../src/model/model.js';
import { ModelPredictor } from '../../src/model/predictor.js';
import type { Target } from '../../src/model/target.js';
import { createEncoder } from '../../src/record/codecs.js';
import type { Schema } from '../../src/record/schema.js';
import { linearModel } from '../helpers/linear-model.js';
import type { PlainModel } from '../helpers/plain-model.js';

const schema: Schema = {
  name: 'events',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'x', type: 'float', nullable: true },
    { name: 'y', type: 'float' },
    { name: 'label', type: 'string', nullable: true },
  ],
  key: 'id',
  label: 'label',
  features: ['x', 'y'],
};
const classes: Target = {
  kind: 'classification',
  vocabulary: ['b', 's'],
  labelIndex: new LabelIndexTransformer().toJSON(),
};
const pipeline = () => new Pipeline([], schemaColumns(schema));
/** Class s where x > y. */
const softmax = () => linearModel(2, 2, Float32Array.from([0, 1, 0, -1, 0, 0]));

function predictorOf(model: Model, target: Target = classes): ModelPredictor {
  return new ModelPredictor({ schema, pipeline: pipeline(), target, model, name: 'm', version: 3 });
}

/** A model that fails for the whole batch when one of its rows begins with 666. */
function failing(model: PlainModel): Model {
  return {
    numFeatures: 2,
    inputShape: [2],
    numOutputs: model.numOutputs,
    predictMany: (features, numRows) => {
      for (let row = 0; row < numRows; row++) {
        if (features[row * 2] !== 666) continue;
        // As with a thread that took the numbers over: what was sent is gone.
        features.fill(NaN);
        return Promise.reject(new Error('the beast'));
      }
      return model.predictMany(features, numRows);
    },
    close: () => model.close(),
  };
}

describe('a model predictor', () => {
  it('answers each row with key, outputs, class, label and model', async () => {
    const [s, b] = await predictorOf(softmax()).predict([
      { id: 1, x: 2, y: 0 },
      { id: 2, x: 0, y: 2 },
    ]);
    assert.ok(!isRowFault(s) && !isRowFault(b));
    assert.ok(Math.abs(s.prediction[1] - 1 / (1 + Math.exp(-2))) < 1e-6);
    assert.deepEqual(
      { ...s, prediction: s.prediction.length },
      { id: 1, prediction: 2, predicted_index: 1, predicted_label: 's', model: 'm', model_version: 3 },
    );
    assert.equal(b.predicted_label, 'b');
  });

  it('gives what its prediction schema says, for any encoder', async () => {
    const predictor = predictorOf(softmax());
    const [prediction] = await predictor.predict([{ id: 1, x: 2, y: 0 }]);
    const schemas = { register: () => Promise.resolve(1), get: () => Promise.resolve(undefined) };
    for (const format of ['json', 'avro'] as const) {
      const encoder = await createEncoder({
        format,
        schema: predictor.predictionSchema,
        schemas,
        subject: 'predictions-value',
      });
      assert.ok(!isRowFault(prediction));
      assert.ok(encoder.encode(prediction).length > 10);
    }
  });

  it('takes one output as the probability of the second of two labels', async () => {
    const model = linearModel(2, 1, Float32Array.from([1, 0, 0]), 'linear');
    const predictions = await predictorOf(model).predict(
      [0.2, 0.5, 0.51, 0.9].map((x) => ({ id: 1, x, y: 0 })),
    );
    assert.deepEqual(
      predictions.map((each) => !isRowFault(each) && each.predicted_label),
      ['b', 'b', 's', 's'],
    );
    assert.deepEqual(!isRowFault(predictions[3]) && predictions[3].prediction, [Math.fround(0.9)]);
  });

  it('answers a regression with the number alone', async () => {
    const model = linearModel(2, 1, Float32Array.from([1, 1, 0.5]), 'linear');
    const predictor = predictorOf(model, { kind: 'regression' });
    assert.deepEqual(await predictor.predict([{ id: 9, x: 1, y: 2 }]), [
      { id: 9, prediction: [3.5], model: 'm', model_version: 3 },
    ]);
    const batch = createRowReader(schema).read([{ id: 9, x: 1, y: 2 }]);
    const { indices, labels } = await predictor.predictMany(batch);
    assert.deepEqual([...indices, ...labels], [-1, null]);
  });

  it('keeps faulty rows from the model, and their neighbours unharmed', async () => {
    const model = softmax();
    const undecodable = new RowFault('MILLRACE_ROW_UNDECODABLE', 'no record');
    const predictions = await predictorOf(model).predict([
      { id: 1, x: 2, y: 0 },
      undecodable,
      { id: 3, y: 1 },
      { id: 4, x: 'two', y: 0 },
      { id: 5, x: 2, y: 0 },
    ]);
    assert.deepEqual(model.calls, [2]);
    assert.equal(predictions[1], undecodable);
    assert.deepEqual(
      predictions.map((each) => isRowFault(each) && each.code),
      [false, 'MILLRACE_ROW_UNDECODABLE', 'MILLRACE_ROW_NOT_FINITE', 'MILLRACE_ROW_FIELD_TYPE', false],
    );
    const [first, last] = [predictions[0], predictions[4]];
    assert.ok(!isRowFault(first) && !isRowFault(last));
    assert.deepEqual(first.prediction, last.prediction);
  });

  it('does not ask the model when there is no row to ask about', async () => {
    const model = softmax();
    assert.deepEqual(await predictorOf(model).predict([]), []);
    await predictorOf(model).predict([new RowFault('MILLRACE_ROW_EMPTY', 'none')]);
    assert.deepEqual(model.calls, []);
  });

  it('finds the rows at which the model fails alone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), async (bad) => {
        const predictor = predictorOf(failing(softmax()));
        const rows = bad.map((each, id) => ({ id, x: each ? 666 : id, y: 1 }));
        const alone = predictorOf(softmax());
        const predictions = await predictor.predict(rows);
        for (const [row, prediction] of predictions.entries()) {
          if (bad[row]) {
            assert.ok(isRowFault(prediction));
            assert.equal(prediction.code, 'MILLRACE_ROW_MODEL_FAILED');
            assert.match(prediction.message, /the beast/);
          } else assert.deepEqual([prediction], await alone.predict([rows[row]]));
        }
      }),
    );
  });

  it('asks a model with one bad row among n about 2 log n more times', async () => {
    const model = softmax();
    const rows = Array.from({ length: 1024 }, (_, id) => ({ id, x: id === 300 ? 666 : 1, y: 1 }));
    await predictorOf(failing(model)).predict(rows);
    // Ten halvings leave ten good halves; one more call shows that the model itself is well.
    assert.equal(model.calls.length, 11);
  });

  it('blames no row when the model itself is broken', async () => {
    const broken = new MillraceError('MILLRACE_COMPUTE_FAILED', 'The compute thread ended.');
    let calls = 0;
    const model: Model = {
      numFeatures: 2,
      inputShape: [2],
      numOutputs: 2,
      predictMany: () => {
        calls += 1;
        return Promise.reject(broken);
      },
      close: () => Promise.resolve(),
    };
    const rows = Array.from({ length: 1024 }, (_, id) => ({ id, x: 1, y: 1 }));
    await assert.rejects(predictorOf(model).predict(rows), broken);
    assert.ok(calls <= 12);
    await assert.rejects(predictorOf(model).predict(rows.slice(0, 1)), broken);
  });

  it('refuses a model that answers other rows than it was asked', async () => {
    for (const length of [3, 5]) {
      const model: Model = {
        numFeatures: 2,
        inputShape: [2],
        numOutputs: 2,
        predictMany: () => Promise.resolve(new Float32Array(length)),
        close: () => Promise.resolve(),
      };
      const rows = [1, 2].map((id) => ({ id, x: 1, y: 1 }));
      await assert.rejects(predictorOf(model).predict(rows), { code: 'MILLRACE_COUNT_MISMATCH' });
    }
  });

  it('makes an answer that is not finite a fault of its row', async () => {
    const model = linearModel(2, 1, Float32Array.from([1, 3e38, 0]), 'linear');
    const predictor = predictorOf(model, { kind: 'regression' });
    const batch = createRowReader(schema).read([10, 0, 10].map((y, id) => ({ id, x: 1, y })));
    const { faults, outputs } = await predictor.predictMany(batch);
    assert.deepEqual(
      [0, 1, 2].map((row) => faults.get(row)?.code),
      ['MILLRACE_ROW_MODEL_FAILED', undefined, 'MILLRACE_ROW_MODEL_FAILED'],
    );
    assert.deepEqual([...outputs], [NaN, 1, NaN]);
  });

  it('refuses parts that do not fit each other', () => {
    const three = linearModel(3, 2, new Float32Array(8));
    assert.throws(() => predictorOf(three), {
      code: 'MILLRACE_MODEL_INVALID',
      message: /takes 3 .* gives 2/,
    });
    const single: Target = { ...classes, vocabulary: ['a', 'b', 'c'] };
    assert.throws(() => predictorOf(softmax(), single), {
      code: 'MILLRACE_MODEL_INVALID',
      message: /3 labels/,
    });
    assert.throws(() => predictorOf(softmax(), { kind: 'regression' }), { code: 'MILLRACE_MODEL_INVALID' });
    const unfitted = new Pipeline([new StandardTransformer()], schemaColumns(schema));
    assert.throws(
      () =>
        new ModelPredictor({
          schema,
          pipeline: unfitted,
          target: classes,
          model: softmax(),
          name: 'm',
          version: 1,
        }),
      { code: 'MILLRACE_TRANSFORMER_INVALID' },
    );
    const clash: Schema = {
      ...schema,
      fields: [{ name: 'model', type: 'string' }, ...schema.fields],
      key: 'model',
    };
    assert.throws(
      () =>
        new ModelPredictor({
          schema: clash,
          pipeline: pipeline(),
          target: classes,
          model: softmax(),
          name: 'm',
          version: 1,
        }),
      { code: 'MILLRACE_SCHEMA_INVALID', message: /must not be called "model"/ },
    );
  });
});
