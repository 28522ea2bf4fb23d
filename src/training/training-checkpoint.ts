import { existsSync } from 'node:fs';
import type { SourceState } from '../features/minibatch-source.js';
import type { OptimizerState } from '../model/model.js';
import { checkSameSettings, type CheckpointSettings } from '../model/checkpoint-settings.js';
import { readSealedFile, writeSealedFile } from '../model/sealed-file.js';
import type { EarlyStopState, EndReason } from './early-stop.js';
import type { LearningRateState } from './learning-rate.js';
import type { TrainingLogState } from './training-log.js';
import type { WorkerHistory } from './worker-log.js';

/** Where a run keeps its checkpoint. */
export interface CheckpointOptions {
  readonly file: string;
  /** Goes on at the checkpoint if there is one. */
  readonly resume?: boolean;
}

/** What a worker needs beside the weights. */
export interface WorkerState {
  readonly optimizer: OptimizerState;
  readonly source: SourceState;
}

/** A run between two sweeps: everything that the rest of it follows from. */
export interface TrainingCheckpoint {
  /** What must be the same when the run goes on. */
  readonly settings: CheckpointSettings;
  /** Of every model; of the first alone where they are all the same. */
  readonly weights: readonly Float32Array[];
  readonly workers: readonly WorkerState[];
  readonly learningRate: LearningRateState;
  readonly earlyStop: EarlyStopState;
  readonly log: TrainingLogState;
  /** Set when the run is over. */
  readonly end: EndReason | undefined;
}

/** What the arrays of a file are called. */
type ArrayName = 'weights' | 'optimizer' | 'losses' | 'finishedAtMs';
const nameOf = (what: ArrayName, rank: number) => `${what} ${rank}`;
/** The number is raised whenever the contents change. */
const kind = 'millrace training checkpoint 2';

/** Throws MILLRACE_FILE_UNUSABLE. */
export function writeCheckpoint(file: string, checkpoint: TrainingCheckpoint): Promise<void> {
  const { weights, workers, log, ...facts } = checkpoint;
  return writeSealedFile(file, kind, {
    facts: {
      ...facts,
      workers: workers.map(({ optimizer: { numSteps }, source }) => ({ numSteps, source })),
      log: { ...log, workers: log.workers.map(({ sweeps }) => ({ sweeps })) },
    },
    arrays: {
      ...named('weights', weights),
      ...named(
        'optimizer',
        workers.map(({ optimizer }) => optimizer.values),
      ),
      ...named(
        'losses',
        log.workers.map(({ losses }) => Float64Array.from(losses)),
      ),
      ...named(
        'finishedAtMs',
        log.workers.map(({ finishedAtMs }) => Float64Array.from(finishedAtMs)),
      ),
    },
  });
}

/**
 * The checkpoint of a run with these settings; undefined when there is none, or none is asked for.
 *
 * Throws MILLRACE_FILE_UNUSABLE, MILLRACE_CHECKPOINT_INVALID when it is damaged, MILLRACE_CONFIG_INVALID when it is of a
 * run with other settings.
 */
export async function findCheckpoint(
  { file, resume = false }: CheckpointOptions,
  settings: TrainingCheckpoint['settings'],
): Promise<TrainingCheckpoint | undefined> {
  if (!resume || !existsSync(file)) return undefined;
  const { facts, arrays } = await readSealedFile(file, kind);
  const { workers, log, ...rest } = facts as Omit<TrainingCheckpoint, 'weights' | 'workers' | 'log'> & {
    readonly workers: readonly { readonly numSteps: number; readonly source: SourceState }[];
    readonly log: Omit<TrainingLogState, 'workers'> & {
      readonly workers: readonly Pick<WorkerHistory, 'sweeps'>[];
    };
  };
  checkSameSettings({ file, owner: 'run', place: 'file' }, rest.settings, settings);
  const floats = (what: 'weights' | 'optimizer', rank: number) => arrays[nameOf(what, rank)] as Float32Array;
  const numbers = (what: 'losses' | 'finishedAtMs', rank: number) => [...arrays[nameOf(what, rank)]];
  const numWeights = Object.keys(arrays).filter((name) => name.startsWith('weights ')).length;
  return {
    ...rest,
    weights: Array.from({ length: numWeights }, (_, rank) => floats('weights', rank)),
    workers: workers.map(({ numSteps, source }, rank) => {
      return { optimizer: { numSteps, values: floats('optimizer', rank) }, source };
    }),
    log: {
      ...log,
      workers: log.workers.map(({ sweeps }, rank) => {
        return { sweeps, losses: numbers('losses', rank), finishedAtMs: numbers('finishedAtMs', rank) };
      }),
    },
  };
}

function named<T>(what: ArrayName, arrays: readonly T[]): Record<string, T> {
  return Object.fromEntries(arrays.map((array, rank) => [nameOf(what, rank), array]));
}
