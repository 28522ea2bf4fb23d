import type { Predictions } from '../predictor.js';

/** What an evaluator needs to know of the answers to a batch. */
export type ScoredRows = Pick<Predictions, 'numOutputs' | 'outputs' | 'indices' | 'faults'>;

export interface EvaluatorJson {
  readonly type: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly state: Readonly<Record<string, unknown>>;
}

/**
 * Compares predictions with what is known, and sums up. Parts that were evaluated apart merge into the result of one
 * pass: counts to the last one, sums up to rounding.
 */
export interface Evaluator<Result = unknown> {
  /** The name it is registered and saved under. */
  readonly type: string;
  /**
   * Adds the rows without faults.
   *
   * @param truth the known answer of each row, as `targetValues` gives it: the class index, or for regression the
   *   number; a row of NaN does not count
   */
  add(predictions: ScoredRows, truth: Float32Array): void;
  /** Adds what another one of the same type and options has seen. Throws MILLRACE_INTERNAL when it is of another. */
  merge(other: Evaluator): void;
  /** The result so far; NaN where it would be a quotient of nothing. */
  result(): Result;
  toJSON(): EvaluatorJson;
}
