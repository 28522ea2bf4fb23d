import { MillraceError } from '../errors.js';
import type { ModelSpec } from './artifact.js';
import { checkModelSpec } from './model-spec.js';
import type { Target } from './target.js';

export interface DenseNetworkOptions {
  /** Units of each hidden layer. */
  readonly hidden: readonly number[];
  /** Dropout rate behind each hidden layer; one rate counts for all of them, none means no dropout. */
  readonly dropout: readonly number[];
  /** Activation of the hidden layers. */
  readonly activation: string;
}

/**
 * The specification of a plain network of dense layers for rows of the shape `inputShape`: a softmax over the labels
 * for classification, one linear output for regression. Throws MILLRACE_MODEL_INVALID or MILLRACE_CONFIG_INVALID.
 */
export function denseNetwork(
  inputShape: readonly number[],
  target: Target,
  { hidden, dropout, activation }: DenseNetworkOptions,
): ModelSpec {
  if (dropout.length > 1 && dropout.length !== hidden.length) {
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      `Give --dropout one rate, or one for each of the ${hidden.length} hidden layers, not ${dropout.length}.`,
    );
  }
  const layers = hidden.flatMap((units, index) => {
    const rate = dropout.length === 1 ? dropout[0] : (dropout[index] ?? 0);
    return [{ type: 'dense', units, activation }, ...(rate === 0 ? [] : [{ type: 'dropout', rate }])];
  });
  const output =
    target.kind === 'classification'
      ? { type: 'dense', units: target.vocabulary.length, activation: 'softmax' }
      : { type: 'dense', units: 1 };
  const flatten = inputShape.length > 1 ? [{ type: 'flatten' }] : [];
  return checkModelSpec({ inputShape, layers: [...flatten, ...layers, output] });
}
