import type { RowErrorCode } from '../errors.js';
import type { TrainerOptions, TrainingResult } from './sweep-trainer.js';
import type { TrainingHistory } from './training-log.js';
import type { FinalEvaluation } from './validation.js';

/** Iterations that a bundle keeps, of all workers together; of a longer run every second, third, ... one is kept. */
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
  const { startedAtMs, trainingTimeMs, numUpdates, sweeps, iterations, workers } = history;
  const numHistories = workers.length === 1 ? 1 : workers.length + 1;
  const every = Math.max(1, Math.ceil((numHistories * iterations.losses.length) / maxIterations));
  const thin = (values: readonly number[]) => values.filter((_, index) => index % every === 0);
  const course = ({ losses, finishedAtMs }: TrainingHistory['iterations']) => ({
    every,
    losses: thin(losses).map((value) => Number(value.toPrecision(6))),
    millisecondsAfterStart: thin(finishedAtMs).map((at) => Math.round(at - startedAtMs)),
  });
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
    numUpdates,
    sweeps: sweeps.map(dated),
    numIterations: iterations.losses.length,
    iterations: course(iterations),
    ...(workers.length > 1 && {
      workers: workers.map((worker) => ({
        sweeps: worker.sweeps.map(dated),
        numIterations: worker.losses.length,
        iterations: course(worker),
      })),
    }),
  };
}

function dated<T extends { readonly startedAtMs: number; readonly finishedAtMs: number }>({
  startedAtMs,
  finishedAtMs,
  ...record
}: T) {
  return {
    ...record,
    startedAt: new Date(startedAtMs).toISOString(),
    finishedAt: new Date(finishedAtMs).toISOString(),
  };
}
