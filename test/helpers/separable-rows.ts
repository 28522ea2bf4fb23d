import type { TrainingSet } from '../../src/training/training-set.js';
import type { TrainerOptions } from '../../src/training/sweep-trainer.js';

/** With which a model learns them in a few sweeps. */
export const separableOptions: TrainerOptions = {
  optimizer: { name: 'sgd', learningRate: 0.5 },
  loss: 'sparseCategoricalCrossentropy',
  task: 'classification',
  minibatchSize: 4,
  numSweeps: 3,
  seed: 1,
};

/** Two classes that a line parts; the first feature names the row: its number, a thousandth each. */
export function separableRows(numRows: number): TrainingSet {
  const features = new Float32Array(2 * numRows);
  const targets = new Float32Array(numRows);
  for (let row = 0; row < numRows; row++) {
    targets[row] = row % 2;
    features[2 * row] = row / 1000;
    features[2 * row + 1] = row % 2 === 0 ? -1 : 1;
  }
  return { features, targets, numRows, numFeatures: 2, numTargets: 1 };
}

/** The number of each row, of the features that name them. */
export function rowsNamed(features: readonly number[]): number[] {
  return features.map((feature) => Math.round(feature * 1_000));
}
