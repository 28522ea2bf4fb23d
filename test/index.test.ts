import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { packageRoot } from '../src/config/package-root.js';
import * as millrace from '../src/index.js';

describe('the public names', () => {
  it('are these and no others', () => {
    assert.deepEqual(Object.keys(millrace).sort(), [
      'AccuracyEvaluator',
      'AucEvaluator',
      'BinaryLabelTransformer',
      'ConfusionMatrixEvaluator',
      'DenseTransformer',
      'ExitCode',
      'F1Evaluator',
      'Imputer',
      'LabelIndexTransformer',
      'LogLossEvaluator',
      'MeanAbsoluteErrorEvaluator',
      'MeanSquaredErrorEvaluator',
      'MillraceError',
      'MinMaxTransformer',
      'ModelPredictor',
      'Normalizer',
      'OneHotTransformer',
      'Pipeline',
      'PrecisionEvaluator',
      'RecallEvaluator',
      'ReshapeTransformer',
      'RowError',
      'RowFault',
      'RowFaults',
      'SingleTrainer',
      'StandardTransformer',
      'StringIndexer',
      'VectorAssembler',
      'avroSchemaOf',
      'checkModelSpec',
      'checkSchema',
      'collisionEvents',
      'collisionSchema',
      'copyMatrix',
      'createDecoder',
      'createEncoder',
      'createLogger',
      'createRowReader',
      'defaultPipeline',
      'denseNetwork',
      'errorTable',
      'evaluatorFromJSON',
      'evaluatorsFor',
      'featureMatrix',
      'fitBundle',
      'fitVocabulary',
      'inferSchema',
      'isEstimator',
      'isRowFault',
      'numericColumns',
      'openBundle',
      'openSchemaStore',
      'parseSchema',
      'predictionSchema',
      'readBundle',
      'readModelFolder',
      'readObservations',
      'readRowsAtRest',
      'readSchemaFile',
      'saveBundle',
      'schemaColumns',
      'schemaFingerprint',
      'schemaFromAvro',
      'startCompute',
      'takeGoldenRows',
      'targetValues',
      'transformMany',
      'transformOne',
      'transformerFromJSON',
    ]);
  });

  it('are given one by one', () => {
    const source = readFileSync(join(packageRoot, 'src/index.ts'), 'utf8');
    assert.doesNotMatch(source, /export \*/);
  });
});
