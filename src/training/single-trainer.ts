import type { TrainableModel } from '../model/model.js';
import { SweepTrainer, type TrainerOptions } from './sweep-trainer.js';

/** Trains one model on data at rest. */
export class SingleTrainer extends SweepTrainer {
  constructor(model: TrainableModel, options: TrainerOptions) {
    super([model], options);
  }
}
