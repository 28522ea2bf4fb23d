import type { Model } from '../../src/model/model.js';

/** Gives one row's outputs. */
export type PredictRow = (features: Float32Array) => readonly number[];

/** A model in plain JavaScript that remembers how it was called, for tests that need no TensorFlow. */
export class PlainModel implements Model {
  readonly inputShape: readonly number[];
  /** Rows of each call. */
  readonly calls: number[] = [];
  isClosed = false;
  /** When set, calls wait for it. */
  gate: Promise<void> | undefined;

  constructor(
    readonly numFeatures: number,
    readonly numOutputs: number,
    readonly predictRow: PredictRow,
  ) {
    this.inputShape = [numFeatures];
  }

  async predictMany(features: Float32Array, numRows: number): Promise<Float32Array> {
    this.calls.push(numRows);
    await this.gate;
    const outputs = new Float32Array(numRows * this.numOutputs);
    for (let row = 0; row < numRows; row++) {
      const start = row * this.numFeatures;
      outputs.set(this.predictRow(features.subarray(start, start + this.numFeatures)), row * this.numOutputs);
    }
    return outputs;
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}
