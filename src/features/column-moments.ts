import type { JsonObject } from '../config/json-object.js';
import type { FeatureMatrix } from './feature-matrix.js';
import type { RowFaults } from './row-faults.js';

/**
 * Count, mean and sum of squared deviations of some columns, in doubles; NaN cells do not count.
 *
 * One value at a time by Welford (1962), "Note on a method for calculating corrected sums of squares and products":
 *
 *     n += 1;  d = x - mean;  mean += d / n;  m2 += d * (x - mean)
 *
 * two parts by Chan, Golub and LeVeque (1979), "Updating formulae and a pairwise algorithm for computing sample
 * variances":
 *
 *     d = mean_b - mean_a;  mean = mean_a + d * n_b / n;  m2 = m2_a + m2_b + d^2 * n_a * n_b / n
 */
export class ColumnMoments {
  readonly columns: readonly string[];
  readonly counts: Float64Array;
  readonly means: Float64Array;
  readonly #m2: Float64Array;

  readonly #missing: ReadonlySet<number>;

  /** `missing`: float32 numbers that stand for "no value" and do not count, as NaN does not. */
  constructor(columns: readonly string[], missing: ReadonlySet<number> = new Set()) {
    this.columns = columns;
    this.#missing = missing;
    this.counts = new Float64Array(columns.length);
    this.means = new Float64Array(columns.length);
    this.#m2 = new Float64Array(columns.length);
  }

  static fromJSON(json: JsonObject, missing?: ReadonlySet<number>): ColumnMoments {
    const moments = new ColumnMoments(json.strings('columns'), missing);
    moments.counts.set(sameLength(json, 'counts', moments, { min: 0, integer: true }));
    moments.means.set(sameLength(json, 'means', moments));
    moments.#m2.set(sameLength(json, 'm2', moments, { min: 0 }));
    json.end();
    return moments;
  }

  /** Whether no value of this column was seen. */
  isEmpty(index: number): boolean {
    return this.counts[index] === 0;
  }

  /** The population's variance of one column: m2 / n. */
  variance(index: number): number {
    return this.#m2[index] / this.counts[index];
  }

  /** Adds the rows without faults. `indices`: the places of the columns in the matrix, one for each of `columns`. */
  add(matrix: FeatureMatrix, indices: Int32Array, faults: RowFaults): void {
    const missing = this.#missing;
    const { data, numRows, numFeatures } = matrix;
    for (let row = 0; row < numRows; row++) {
      if (faults.has(row)) continue;
      const start = row * numFeatures;
      for (let each = 0; each < indices.length; each++) {
        const value = data[start + indices[each]];
        if (Number.isNaN(value) || (missing.size > 0 && missing.has(value))) continue;
        const difference = value - this.means[each];
        this.counts[each] += 1;
        this.means[each] += difference / this.counts[each];
        this.#m2[each] += difference * (value - this.means[each]);
      }
    }
  }

  /** Adds what was seen by another one with the same columns. */
  merge(other: ColumnMoments): void {
    for (let each = 0; each < this.columns.length; each++) {
      const [countA, countB] = [this.counts[each], other.counts[each]];
      if (countB === 0) continue;
      const count = countA + countB;
      const difference = other.means[each] - this.means[each];
      this.counts[each] = count;
      this.means[each] += (difference * countB) / count;
      this.#m2[each] += other.#m2[each] + (difference * difference * countA * countB) / count;
    }
  }

  toJSON(): Record<string, unknown> {
    return {
      columns: this.columns,
      counts: [...this.counts],
      means: [...this.means],
      m2: [...this.#m2],
    };
  }
}

function sameLength(
  json: JsonObject,
  name: string,
  moments: ColumnMoments,
  range?: { min: number; integer?: boolean },
): number[] {
  const values = json.numbers(name, range);
  if (values.length !== moments.columns.length) {
    throw json.invalid(`needs as many "${name}" as "columns".`);
  }
  return values;
}
