import { cannotMerge, checkNumClasses, readEvaluator } from './evaluator-json.js';
import type { Evaluator, EvaluatorJson, ScoredRows } from './evaluator.js';

/** An evaluator that counts how often each class was taken for each class. */
export abstract class ConfusionEvaluator<Result> implements Evaluator<Result> {
  abstract readonly type: string;
  readonly numClasses: number;
  /** Row-major: the row is the true class, the column the predicted one. */
  readonly #counts: Float64Array;

  /** Throws MILLRACE_MODEL_INVALID when the number of classes or the state cannot be. */
  constructor(options: { readonly numClasses: number }, state?: unknown) {
    this.numClasses = checkNumClasses(options.numClasses);
    this.#counts = new Float64Array(this.numClasses ** 2);
    if (state === undefined) return;
    const saved = readEvaluator(state, 'The state of an evaluator');
    const counts = saved.numbers('counts', { min: 0, integer: true });
    saved.end();
    if (counts.length !== this.#counts.length) {
      throw saved.invalid(`needs ${this.#counts.length} counts for ${this.numClasses} classes.`);
    }
    this.#counts.set(counts);
  }

  add(predictions: ScoredRows, truth: Float32Array): void {
    for (let row = 0; row < truth.length; row++) {
      if (Number.isNaN(truth[row]) || predictions.faults.has(row)) continue;
      this.#counts[truth[row] * this.numClasses + predictions.indices[row]] += 1;
    }
  }

  merge(other: Evaluator): void {
    const same =
      other instanceof ConfusionEvaluator && other.type === this.type && other.numClasses === this.numClasses;
    if (!same) throw cannotMerge(this, other);
    for (const [index, count] of (other as ConfusionEvaluator<Result>).#counts.entries()) {
      this.#counts[index] += count;
    }
  }

  abstract result(): Result;

  toJSON(): EvaluatorJson {
    return {
      type: this.type,
      options: { numClasses: this.numClasses },
      state: { counts: [...this.#counts] },
    };
  }

  /** How often this class was taken for that one. */
  protected count(truth: number, predicted: number): number {
    return this.#counts[truth * this.numClasses + predicted];
  }
}

/** The counts themselves: `result()[truth][predicted]`. */
export class ConfusionMatrixEvaluator extends ConfusionEvaluator<readonly (readonly number[])[]> {
  readonly type = 'confusion-matrix';

  result(): readonly (readonly number[])[] {
    return Array.from({ length: this.numClasses }, (_, truth) =>
      Array.from({ length: this.numClasses }, (__, predicted) => this.count(truth, predicted)),
    );
  }
}
