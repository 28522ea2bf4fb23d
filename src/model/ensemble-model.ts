import { MillraceError } from '../errors.js';
import type { Combination } from './artifact.js';
import { combineOutputs } from './ensemble.js';
import type { Model } from './model.js';

/** Several models that answer as one, wherever each of them computes. */
export class EnsembleModel implements Model {
  readonly inputShape: readonly number[];
  readonly numFeatures: number;
  readonly numOutputs: number;
  readonly combination: Combination;
  readonly #members: readonly Model[];

  /**
   * @param members which it takes over
   * @throws MillraceError MILLRACE_CONFIG_INVALID when there are none, MILLRACE_MODEL_INVALID when they take or give
   * different numbers
   */
  constructor(members: readonly Model[], combination: Combination) {
    if (members.length === 0)
      throw new MillraceError('MILLRACE_CONFIG_INVALID', 'An ensemble needs at least one model.');
    const [{ inputShape, numFeatures, numOutputs }] = members;
    if (members.some((each) => each.numFeatures !== numFeatures || each.numOutputs !== numOutputs)) {
      throw new MillraceError(
        'MILLRACE_MODEL_INVALID',
        'The models of an ensemble must all take as many numbers and give as many.',
      );
    }
    this.inputShape = inputShape;
    this.numFeatures = numFeatures;
    this.numOutputs = numOutputs;
    this.combination = combination;
    this.#members = members;
  }

  async predictMany(features: Float32Array, numRows: number): Promise<Float32Array> {
    const { numOutputs } = this;
    const numMembers = this.#members.length;
    // Each of them may take its rows over.
    const answers = await Promise.all(
      this.#members.map((member) =>
        member.predictMany(features.slice(0, numRows * this.numFeatures), numRows),
      ),
    );
    const outputs = new Float32Array(numRows * numMembers * numOutputs);
    for (let row = 0; row < numRows; row++) {
      for (const [member, answer] of answers.entries()) {
        const ofRow = answer.subarray(row * numOutputs, (row + 1) * numOutputs);
        outputs.set(ofRow, (row * numMembers + member) * numOutputs);
      }
    }
    return combineOutputs(this.combination, outputs, numMembers, numOutputs);
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.close()));
  }
}
