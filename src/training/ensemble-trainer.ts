import type { Combination } from '../model/artifact.js';
import { checkCombination } from '../model/ensemble.js';
import { EnsembleModel } from '../model/ensemble-model.js';
import type { TrainableModel } from '../model/model.js';
import { SweepTrainer, type TrainerOptions } from './sweep-trainer.js';

export interface EnsembleOptions extends TrainerOptions {
  /** How the models answer together; `average` unless given. */
  readonly combination?: Combination;
}

/**
 * Trains several models apart, all at the same time, which answer together: the mistakes that each makes by the chance of
 * its first weights and of its order of rows are evened out (Hansen & Salamon 1990, "Neural network ensembles").
 *
 * Every model learns from all rows, each in an order of its own. With a share of the rows each (bagging without
 * replacement), the single model would be worse by more than the many make up for, as long as rows are few enough to be
 * at rest (Lakshminarayanan, Pritzel & Blundell 2017, "Simple and scalable predictive uncertainty estimation using deep
 * ensembles").
 *
 * The validation behind a sweep is that of the answers together; with votes its loss is that of the shares of votes.
 */
export class EnsembleTrainer extends SweepTrainer {
  /**
   * @param models with the same layers and weights of their own, best in processes of their own
   * @throws MillraceError MILLRACE_CONFIG_INVALID when there are none, or when they are to vote on numbers
   */
  constructor(models: readonly TrainableModel[], { combination = 'average', ...options }: EnsembleOptions) {
    checkCombination(combination, options.task);
    super(models, options, { ensemble: new EnsembleModel(models, combination) });
  }
}
