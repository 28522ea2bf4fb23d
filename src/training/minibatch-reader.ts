import { MillraceError } from '../errors.js';
import { joinArrays } from '../features/join-arrays.js';
import type { Minibatch, MinibatchSource, SourceState } from '../features/minibatch-source.js';
import type { TrainingRows } from './training-set.js';

/** Rows for one call of a model: whole minibatches, of which only the last of a sweep may be shorter. */
export interface RowsToLearn extends TrainingRows {
  /** Where the source stands behind the sweep that ends with these rows; undefined: it goes on. */
  readonly sweepEnd: SourceState | undefined;
}

/** What is read of a source, and how. */
export interface ReadingOptions {
  /** Rows per step. */
  readonly minibatchSize: number;
  /** Rows that are asked for at once, a multiple of the minibatch size. */
  readonly rowsPerCall: number;
  readonly numberOfWorkers: number;
  readonly workerRank: number;
  /** Numbers of a row. */
  readonly numFeatures: number;
  readonly numTargets: number;
  /** What a minibatch of the source means to the model. */
  readonly toRows: (minibatch: Minibatch) => TrainingRows;
}

/**
 * Reads the share of one worker, sweep by sweep, to the end of the source; a source that ends within a sweep ends it.
 * What the source gives at once is joined and cut, so that every step has its rows.
 *
 * Throws what the source throws, and MILLRACE_MODEL_INVALID when the rows are not for such a model.
 */
export async function* readRows(
  source: MinibatchSource,
  options: ReadingOptions,
): AsyncGenerator<RowsToLearn, void, undefined> {
  const { minibatchSize, rowsPerCall, numberOfWorkers, workerRank, toRows } = options;
  let waiting: TrainingRows[] = [];
  let hasBegun = false;
  for (;;) {
    const minibatch = await source.nextMinibatch(rowsPerCall * numberOfWorkers, numberOfWorkers, workerRank);
    if (minibatch === undefined) break;
    const rows = toRows(minibatch);
    checkWidth(rows, options);
    waiting.push(rows);
    const numRows = waiting.reduce((sum, each) => sum + each.numRows, 0);
    const isEnd = endsSweep(minibatch);
    hasBegun = !isEnd;
    if (isEnd) {
      yield { ...joinRows(waiting), sweepEnd: source.checkpointState() };
      waiting = [];
    } else if (numRows >= minibatchSize && 2 * numRows >= rowsPerCall) {
      const all = joinRows(waiting);
      const numWhole = numRows - (numRows % minibatchSize);
      yield { ...(numWhole === numRows ? all : partOfRows(all, 0, numWhole)), sweepEnd: undefined };
      waiting = numWhole === numRows ? [] : [partOfRows(all, numWhole, numRows)];
    }
  }
  if (hasBegun) yield { ...joinRows(waiting), sweepEnd: source.checkpointState() };
}

function endsSweep(minibatch: Minibatch): boolean {
  return [...minibatch.values()].some(({ sweepEnd }) => sweepEnd);
}

function checkWidth({ features, targets, numRows }: TrainingRows, options: ReadingOptions): void {
  const { numFeatures, numTargets } = options;
  if (features.length === numRows * numFeatures && targets.length === numRows * numTargets) return;
  throw new MillraceError(
    'MILLRACE_MODEL_INVALID',
    `The model takes ${numFeatures} features and, with this loss, ${numTargets} targets per row; the data has ${features.length / numRows} and ${targets.length / numRows}.`,
  );
}

function joinRows(parts: readonly TrainingRows[]): TrainingRows {
  if (parts.length === 1) return parts[0];
  const joinAll = (arrayOf: (rows: TrainingRows) => Float32Array) =>
    joinArrays(Float32Array, parts.map(arrayOf));
  return {
    features: joinAll(({ features }) => features),
    targets: joinAll(({ targets }) => targets),
    numRows: parts.reduce((sum, { numRows }) => sum + numRows, 0),
  };
}

/** The rows from `start` to before `end`, copied: the model takes the buffers of the others over. */
export function partOfRows(
  { features, targets, numRows }: TrainingRows,
  start: number,
  end: number,
): TrainingRows {
  const slice = (values: Float32Array) => {
    const size = values.length / numRows;
    return values.slice(start * size, end * size);
  };
  return { features: slice(features), targets: slice(targets), numRows: end - start };
}
