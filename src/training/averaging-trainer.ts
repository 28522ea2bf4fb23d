import { MillraceError } from '../errors.js';
import type { TrainableModel } from '../model/model.js';
import { SweepTrainer, type TrainerOptions } from './sweep-trainer.js';

/**
 * Trains several models on a share of the rows each, all at the same time, and gives them the mean of their weights behind
 * every sweep (McDonald, Hall & Mann 2010, "Distributed training strategies for the structured perceptron": iterative
 * parameter mixing). Each of them keeps its own optimizer.
 */
export class AveragingTrainer extends SweepTrainer {
  /**
   * @param models with the same layers, best in processes of their own; all begin with the weights of the first, and all
   * end with the same
   * @throws MillraceError MILLRACE_CONFIG_INVALID when there are none
   */
  constructor(models: readonly TrainableModel[], options: TrainerOptions) {
    if (models.length === 0)
      throw new MillraceError('MILLRACE_CONFIG_INVALID', 'There is no model to train.');
    super(models, options);
  }
}
