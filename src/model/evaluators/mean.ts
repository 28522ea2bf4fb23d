import { cannotMerge, readEvaluator } from './evaluator-json.js';
import type { Evaluator, EvaluatorJson, ScoredRows } from './evaluator.js';

/** An evaluator whose result is the mean of one number per row, such as a loss. */
export abstract class MeanEvaluator implements Evaluator<number> {
  abstract readonly type: string;
  #sum = 0;
  #numRows = 0;

  constructor(state?: unknown) {
    if (state === undefined) return;
    const saved = readEvaluator(state, 'The state of an evaluator');
    this.#sum = saved.number('sum');
    this.#numRows = saved.number('numRows', { min: 0, integer: true });
    saved.end();
  }

  add(predictions: ScoredRows, truth: Float32Array): void {
    for (let row = 0; row < truth.length; row++) {
      if (Number.isNaN(truth[row]) || predictions.faults.has(row)) continue;
      this.#sum += this.scoreOf(predictions, row, truth[row]);
      this.#numRows += 1;
    }
  }

  merge(other: Evaluator): void {
    if (!(other instanceof MeanEvaluator) || other.type !== this.type) throw cannotMerge(this, other);
    this.#sum += other.#sum;
    this.#numRows += other.#numRows;
  }

  result(): number {
    return this.#sum / this.#numRows;
  }

  toJSON(): EvaluatorJson {
    return { type: this.type, options: {}, state: { sum: this.#sum, numRows: this.#numRows } };
  }

  /** The number of one row. */
  protected abstract scoreOf(predictions: ScoredRows, row: number, truth: number): number;
}
