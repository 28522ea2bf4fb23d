import { cannotMerge, checkNumClasses, readEvaluator } from './evaluator-json.js';
import type { Evaluator, EvaluatorJson, ScoredRows } from './evaluator.js';

export interface AucResult {
  /** The area under the ROC curve; with more than two classes, the mean over the classes, each against the rest. */
  readonly auc: number;
  /** The exact area is at most this far away. */
  readonly maxError: number;
}

/** Places on the scale of log-odds, from -limit to limit; what lies beyond shares the outermost ones. */
const numBins = 4096;
const limit = 17;

/**
 * The area under the ROC curve: the probability that a row of the class gets a higher score than a row of another,
 * ties counting half (Fawcett 2006, "An introduction to ROC analysis").
 *
 * Exact areas need all scores, which neither fit memory nor merge. Scores are counted in bins that are even on the
 * scale of log-odds, ln(p / (1 - p)), where the crowds near 0 and 1 are spread out. Within a bin all pairs count as
 * ties, so the area is wrong by at most half of the pairs that share a bin; `maxError` is that part.
 */
export class AucEvaluator implements Evaluator<AucResult> {
  readonly type = 'auc';
  readonly numClasses: number;
  /** For each scored class, by bin: rows that are not of the class, then rows that are. */
  readonly #counts: readonly Float64Array[];

  /** Throws MILLRACE_MODEL_INVALID when the number of classes or the state cannot be. */
  constructor(options: { readonly numClasses: number }, state?: unknown) {
    this.numClasses = checkNumClasses(options.numClasses);
    // Of two classes one says all: the other one's curve is the same, seen from behind.
    const numScored = this.numClasses === 2 ? 1 : this.numClasses;
    this.#counts = Array.from({ length: numScored }, () => new Float64Array(2 * numBins));
    if (state !== undefined) this.#restore(state);
  }

  add({ outputs, numOutputs, faults }: ScoredRows, truth: Float32Array): void {
    for (let row = 0; row < truth.length; row++) {
      if (Number.isNaN(truth[row]) || faults.has(row)) continue;
      for (let each = 0; each < this.#counts.length; each++) {
        const scored = this.#classOf(each);
        const score = outputs[row * numOutputs + (numOutputs === 1 ? 0 : scored)];
        this.#counts[each][2 * binOf(score) + (truth[row] === scored ? 1 : 0)] += 1;
      }
    }
  }

  merge(other: Evaluator): void {
    if (!(other instanceof AucEvaluator) || other.numClasses !== this.numClasses)
      throw cannotMerge(this, other);
    for (const [each, counts] of this.#counts.entries()) {
      for (let place = 0; place < counts.length; place++) counts[place] += other.#counts[each][place];
    }
  }

  result(): AucResult {
    // A class without rows, or with all of them, has no curve.
    const areas = this.#counts.map(areaUnder).filter(({ auc }) => !Number.isNaN(auc));
    const mean = (field: keyof AucResult) => areas.reduce((sum, each) => sum + each[field], 0) / areas.length;
    return { auc: mean('auc'), maxError: mean('maxError') };
  }

  /** Most bins are empty: only the others are kept. */
  toJSON(): EvaluatorJson {
    const curves = this.#counts.map((counts) => {
      const places = [...counts.keys()].filter((place) => counts[place] > 0);
      return { places, counts: places.map((place) => counts[place]) };
    });
    return { type: this.type, options: { numClasses: this.numClasses }, state: { curves } };
  }

  #classOf(scored: number): number {
    return this.numClasses === 2 ? 1 : scored;
  }

  #restore(state: unknown): void {
    const saved = readEvaluator(state, 'The state of auc');
    const curves = saved.objects('curves');
    saved.end();
    if (curves.length !== this.#counts.length) throw saved.invalid('needs one curve for each class.');
    for (const [each, curve] of curves.entries()) {
      const places = curve.numbers('places', { min: 0, max: 2 * numBins - 1, integer: true });
      const counts = curve.numbers('counts', { min: 0, integer: true });
      curve.end();
      if (places.length !== counts.length) throw curve.invalid('needs one count for each place.');
      for (const [index, place] of places.entries()) this.#counts[each][place] = counts[index];
    }
  }
}

function binOf(score: number): number {
  const place = Math.floor(((Math.log(score / (1 - score)) + limit) / (2 * limit)) * numBins);
  // Scores that are no probabilities have no log-odds; they go to the end they lie at.
  if (Number.isNaN(place)) return score > 0.5 ? numBins - 1 : 0;
  return Math.min(Math.max(place, 0), numBins - 1);
}

function areaUnder(counts: Float64Array): AucResult {
  let [negatives, positives, wins, ties] = [0, 0, 0, 0];
  for (let bin = 0; bin < numBins; bin++) {
    const [negative, positive] = [counts[2 * bin], counts[2 * bin + 1]];
    wins += positive * negatives;
    ties += positive * negative;
    negatives += negative;
    positives += positive;
  }
  const pairs = negatives * positives;
  return { auc: (wins + ties / 2) / pairs, maxError: ties / 2 / pairs };
}
