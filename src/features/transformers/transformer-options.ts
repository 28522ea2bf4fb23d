import { JsonObject } from '../../config/json-object.js';
import { MillraceError } from '../../errors.js';

/** The options of a transformer as they came, from code or from JSON. */
export function readOptions(type: string, options: object): JsonObject {
  return new JsonObject(options, `The options of ${type}`, 'MILLRACE_TRANSFORMER_INVALID');
}

/** What a transformer learned, as it was saved. */
export function readState(type: string, state: unknown): JsonObject {
  return new JsonObject(state, `The state of ${type}`, 'MILLRACE_TRANSFORMER_INVALID');
}

export function transformerInvalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_TRANSFORMER_INVALID', message);
}
