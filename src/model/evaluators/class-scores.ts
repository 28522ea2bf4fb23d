import { ConfusionEvaluator } from './confusion-matrix.js';

export interface ClassScores {
  /** The mean over the classes that occur, in truth or in predictions. */
  readonly macro: number;
  /** Over all rows together; with one class per row that is the accuracy. */
  readonly micro: number;
  /** By class index; 0 where it would be a quotient of nothing, and so for a class that does not occur. */
  readonly perClass: readonly number[];
}

/** What is known about one class: rows of it that were found, rows taken for it, and rows of it. */
interface ClassCounts {
  readonly found: number;
  readonly predicted: number;
  readonly actual: number;
}

/** A score of each class, and its means; conventions of scikit-learn with `zero_division=0`. */
abstract class ClassScoreEvaluator extends ConfusionEvaluator<ClassScores> {
  result(): ClassScores {
    const classes = Array.from({ length: this.numClasses }, (_, index) => this.#countsOf(index));
    const perClass = classes.map((each) => this.score(each) || 0);
    const occurring = perClass.filter((_, index) => classes[index].predicted + classes[index].actual > 0);
    const total = (count: keyof ClassCounts) => classes.reduce((sum, each) => sum + each[count], 0);
    return {
      macro: occurring.reduce((sum, score) => sum + score, 0) / occurring.length,
      micro: this.score({ found: total('found'), predicted: total('predicted'), actual: total('actual') }),
      perClass,
    };
  }

  protected abstract score(counts: ClassCounts): number;

  #countsOf(index: number): ClassCounts {
    let [predicted, actual] = [0, 0];
    for (let other = 0; other < this.numClasses; other++) {
      predicted += this.count(other, index);
      actual += this.count(index, other);
    }
    return { found: this.count(index, index), predicted, actual };
  }
}

/** Of the rows taken for a class, the part that is of it. */
export class PrecisionEvaluator extends ClassScoreEvaluator {
  readonly type = 'precision';

  protected score({ found, predicted }: ClassCounts): number {
    return found / predicted;
  }
}

/** Of the rows of a class, the part that was taken for it. */
export class RecallEvaluator extends ClassScoreEvaluator {
  readonly type = 'recall';

  protected score({ found, actual }: ClassCounts): number {
    return found / actual;
  }
}

/** The harmonic mean of precision and recall. */
export class F1Evaluator extends ClassScoreEvaluator {
  readonly type = 'f1';

  protected score({ found, predicted, actual }: ClassCounts): number {
    return (2 * found) / (predicted + actual);
  }
}
