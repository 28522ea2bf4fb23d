import { MillraceError } from '../errors.js';
import type { Predictions } from '../model/predictor.js';
import type { Target } from '../model/target.js';

/** Whether the prediction of this row is to be forwarded. */
export type EmitFilter = (predictions: Predictions, row: number) => boolean;

/**
 * What `--emit` means: `label=L` or `index=I` forwards only rows of that class; undefined forwards all.
 * Throws MILLRACE_CONFIG_INVALID when it is written otherwise, or the model has no such class.
 */
export function emitFilter(emit: string | undefined, target: Target): EmitFilter {
  if (emit === undefined) return () => true;
  const [, kind, wanted] = /^(label|index)=(.+)$/s.exec(emit) ?? [];
  if (kind === undefined) throw invalid(`--emit must be label=L or index=I, not "${emit}".`);
  if (target.kind !== 'classification') {
    throw invalid('--emit chooses by class, and this model predicts a number; leave it out.');
  }
  const { vocabulary } = target;
  const index = kind === 'label' ? vocabulary.indexOf(wanted) : Number(wanted);
  if (!(Number.isInteger(index) && index >= 0 && index < vocabulary.length)) {
    const known = vocabulary.slice(0, 20).map((label, place) => `${place} (${label})`);
    throw invalid(`--emit ${emit} names no class of this model; its classes are ${known.join(', ')}.`);
  }
  return (predictions, row) => predictions.indices[row] === index;
}

function invalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_CONFIG_INVALID', message);
}
