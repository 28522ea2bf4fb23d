import { MillraceError } from '../errors.js';
import type { TrainableModel } from '../model/model.js';
import { SweepTrainer, type TrainerOptions } from './sweep-trainer.js';

export interface AveragingOptions extends TrainerOptions {
  /**
   * Into how many parts each model's share of a sweep is cut; the models are averaged behind every part, so that they
   * stay nearer to each other. 1 unless given; never more parts than minibatches.
   */
  readonly parallelismFactor?: number | undefined;
}

/**
 * Trains several models on a share of the rows each, all at the same time, and gives them the mean of their weights behind
 * every sweep (McDonald, Hall & Mann 2010, "Distributed training strategies for the structured perceptron": iterative
 * parameter mixing), or more often. Each of them keeps its own optimizer.
 */
export class AveragingTrainer extends SweepTrainer {
  /**
   * @param models with the same layers, best in processes of their own; all begin with the weights of the first, and all
   * end with the same
   * @throws MillraceError MILLRACE_CONFIG_INVALID when there are none, or the parallelism factor is no whole number from 1 on
   */
  constructor(models: readonly TrainableModel[], { parallelismFactor = 1, ...options }: AveragingOptions) {
    if (models.length === 0)
      throw new MillraceError('MILLRACE_CONFIG_INVALID', 'There is no model to train.');
    if (!(Number.isSafeInteger(parallelismFactor) && parallelismFactor >= 1)) {
      throw new MillraceError(
        'MILLRACE_CONFIG_INVALID',
        `The parallelism factor must be a whole number from 1 on, not ${parallelismFactor}.`,
      );
    }
    super(models, options, { parallelismFactor });
  }
}
