import type { RowErrorCode } from '../errors.js';
import type { TrainerOptions, TrainingResult } from './sweep-trainer.js';
import type { FinalEvaluation } from './validation.js';

/** Iterations that a bundle keeps; of a longer run every second, third, ... one is kept. */
const maxIterations = 10_000;

/** What a bundle says of how its model was trained, as JSON: options, data, course, quality. */
export function trainingFacts(
  options: TrainerOptions,
  { history, numTrainingRows, numValidationRows, end }: TrainingResult,
  evaluation: FinalEvaluation,
  rejected: ReadonlyMap<RowErrorCode, number>,
): Record<string, unknown> {
  const { optimizer, learningRateScheme, loss, classWeights, lossWeight, minibatchSize } = options;
  const { numSweeps, validationSplit, seed } = options;
  const { startedAtMs, trainingTimeMs, sweeps, iterations } = history;
  const every = Math.max(1, Math.ceil(iterations.losses.length / maxIterations));
  const thin = (values: readonly number[]) => values.filter((_, index) => index % every === 0);
  return {
    optimizer,
    ...(learningRateScheme !== undefined && { learningRateScheme }),
    loss,
    ...(classWeights !== undefined && { classWeights }),
    ...(lossWeight !== undefined && { lossWeight }),
    minibatchSize,
    numSweeps,
    validationSplit: validationSplit ?? 0,
    seed,
    numTrainingRows,
    numValidationRows,
    numRowsRejected: Object.fromEntries(rejected),
    startedAt: new Date(startedAtMs).toISOString(),
    trainingTimeMs,
    end,
    evaluation,
    sweeps: sweeps.map(({ startedAtMs: from, finishedAtMs: to, ...record }) => ({
      ...record,
      startedAt: new Date(from).toISOString(),
      finishedAt: new Date(to).toISOString(),
    })),
    numIterations: iterations.losses.length,
    iterations: {
      every,
      losses: thin(iterations.losses).map((value) => Number(value.toPrecision(6))),
      millisecondsAfterStart: thin(iterations.finishedAtMs).map((at) => Math.round(at - startedAtMs)),
    },
  };
}
