import type { Combination } from '../model/artifact.js';
import type { TrainableModel } from '../model/model.js';
import { AveragingTrainer } from './averaging-trainer.js';
import { EnsembleTrainer } from './ensemble-trainer.js';
import { SingleTrainer } from './single-trainer.js';
import type { SweepTrainer, TrainerOptions } from './sweep-trainer.js';

/** Which trainer it is, and how many models it trains. */
export type TrainerSpec =
  | { readonly name: 'single' }
  | { readonly name: 'averaging'; readonly numWorkers: number; readonly parallelismFactor?: number }
  | { readonly name: 'ensemble'; readonly numWorkers: number; readonly combination: Combination };

/** How many models it trains. */
export function numWorkersOf(spec: TrainerSpec): number {
  return spec.name === 'single' ? 1 : spec.numWorkers;
}

/** @param models as many as it trains */
export function createTrainer(
  spec: TrainerSpec,
  models: readonly TrainableModel[],
  options: TrainerOptions,
): SweepTrainer {
  switch (spec.name) {
    case 'single':
      return new SingleTrainer(models[0], options);
    case 'averaging':
      return new AveragingTrainer(models, { ...options, parallelismFactor: spec.parallelismFactor });
    case 'ensemble':
      return new EnsembleTrainer(models, { ...options, combination: spec.combination });
  }
}
