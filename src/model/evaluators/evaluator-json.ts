import { JsonObject } from '../../config/json-object.js';
import { MillraceError } from '../../errors.js';

/** More classes than this make a confusion matrix that no memory should hold. */
const maxClasses = 1024;

/** The options or the state of an evaluator, as they came. */
export function readEvaluator(value: unknown, what: string): JsonObject {
  return new JsonObject(value, what, 'MILLRACE_MODEL_INVALID');
}

export function checkNumClasses(numClasses: number): number {
  if (!Number.isSafeInteger(numClasses) || numClasses < 1 || numClasses > maxClasses) {
    throw new MillraceError(
      'MILLRACE_MODEL_INVALID',
      `An evaluator needs from 1 to ${maxClasses} classes, not ${numClasses}.`,
    );
  }
  return numClasses;
}

/** Thrown by `merge` when two evaluators do not count the same thing. */
export function cannotMerge(one: { type: string }, other: { type: string }): MillraceError {
  return new MillraceError(
    'MILLRACE_INTERNAL',
    `The evaluator ${one.type} can only be merged with one of the same type and options, and not with this ${other.type}.`,
  );
}
