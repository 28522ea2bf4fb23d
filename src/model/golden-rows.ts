import { MillraceError } from '../errors.js';
import { isRowFault, type RowFault } from '../features/row-faults.js';
import type { Observation } from '../record/observation.js';
import type { GoldenRows } from './bundle-contents.js';
import type { Prediction } from './prediction.js';

/**
 * How far an output may be from the saved one: `|now - saved| <= absolute + relative * |saved|`. Backends and machines
 * add float32 numbers in different orders; another model, pipeline or set of weights is much further away.
 */
export const goldenTolerance = { absolute: 1e-4, relative: 1e-3 } as const;

const maxGoldenRows = 16;

/** What golden rows need of a predictor. */
interface RowsPredictor {
  predict(observations: readonly Observation[]): Promise<readonly (Prediction | RowFault)[]>;
  labelOf(outputs: Float32Array): string | null;
}

/**
 * Takes the first rows that are predicted without a fault as golden rows, at most 16.
 * Throws MILLRACE_BUNDLE_INVALID when there is none.
 */
export async function takeGoldenRows(
  predictor: RowsPredictor,
  observations: readonly Observation[],
): Promise<GoldenRows> {
  const predictions = await predictor.predict(observations);
  const rows = predictions.flatMap((prediction, row) =>
    isRowFault(prediction) ? [] : [{ observation: observations[row], output: prediction.prediction }],
  );
  if (rows.length === 0) {
    throw new MillraceError(
      'MILLRACE_BUNDLE_INVALID',
      'The model answers none of the rows that the bundle would be checked with; a bundle needs at least one.',
    );
  }
  const golden = rows.slice(0, maxGoldenRows);
  return {
    observations: golden.map(({ observation }) => observation),
    outputs: golden.map(({ output }) => output),
    labels: golden.map(({ output }) => predictor.labelOf(Float32Array.from(output))),
  };
}

/** Throws MILLRACE_BUNDLE_INVALID when a golden row is answered differently than when it was saved. */
export async function checkGoldenRows(predictor: RowsPredictor, golden: GoldenRows): Promise<void> {
  const predictions = await predictor.predict(golden.observations);
  for (const [row, prediction] of predictions.entries()) {
    if (isRowFault(prediction)) throw differs(row, `${prediction.code}, ${prediction.message}`);
    const saved = golden.outputs[row];
    const now = prediction.prediction;
    if (now.length !== saved.length || !now.every((output, index) => isClose(output, saved[index]))) {
      throw differs(row, `[${shown(now)}] instead of [${shown(saved)}]`);
    }
    // Of the saved outputs, which are exact: rounding must not move a row from one label to another.
    const label = predictor.labelOf(Float32Array.from(saved));
    if (label !== golden.labels[row]) throw differs(row, `label ${label} instead of ${golden.labels[row]}`);
  }
}

function isClose(now: number, saved: number): boolean {
  return Math.abs(now - saved) <= goldenTolerance.absolute + goldenTolerance.relative * Math.abs(saved);
}

function shown(outputs: readonly number[]): string {
  return outputs.slice(0, 10).join(', ') + (outputs.length > 10 ? ', ...' : '');
}

function differs(row: number, how: string): MillraceError {
  return new MillraceError(
    'MILLRACE_BUNDLE_INVALID',
    `The bundle answers differently than when it was saved, at golden row ${row}: ${how}; do not use it, train or import it again.`,
    { facts: { row } },
  );
}
