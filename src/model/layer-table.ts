import { MillraceError } from '../errors.js';
import type { LayerSpec } from './artifact.js';
import { sizeOf } from './shape.js';

/**
 * The layers a model specification may use, with the names, options and defaults of Keras in camelCase. `?` marks an
 * option that may be left out.
 */
interface LayerType {
  /** Each option and what it must be. */
  readonly options: Readonly<Record<string, `${OptionKind}${'' | '?'}`>>;
  /** Whether it makes one of several. */
  readonly joins?: true;
  /**
   * The shape of one row that comes out, or undefined when rows of the shape `input` cannot go in.
   *
   * @param others the shapes of what it joins with the first
   */
  outputShape(
    input: readonly number[],
    layer: LayerSpec,
    others: readonly (readonly number[])[],
  ): readonly number[] | undefined;
  /** How many weights the layer has. */
  numWeights(input: readonly number[], layer: LayerSpec): number;
}

type OptionKind = keyof typeof kinds;

const kinds = {
  count: { says: 'a whole number from 1 on', accepts: isCount },
  pair: {
    says: 'a whole number from 1 on, or two of them',
    accepts: (value: unknown) =>
      isCount(value) || (Array.isArray(value) && value.length === 2 && value.every(isCount)),
  },
  shape: {
    says: 'a list of whole numbers from 1 on',
    accepts: (value: unknown) =>
      Array.isArray(value) && value.length > 0 && value.length <= 5 && value.every(isCount),
  },
  rate: {
    says: 'a number from 0 to below 1',
    accepts: (value: unknown) => isNumber(value) && value >= 0 && value < 1,
  },
  positive: { says: 'a number above 0', accepts: (value: unknown) => isNumber(value) && value > 0 },
  switch: { says: 'true or false', accepts: (value: unknown) => typeof value === 'boolean' },
  padding: oneOf('valid', 'same'),
  activation: oneOf(
    ...['linear', 'relu', 'relu6', 'elu', 'selu', 'softmax', 'softplus', 'softsign', 'tanh'],
    ...['sigmoid', 'hardSigmoid', 'swish', 'gelu', 'mish'],
  ),
  regularizer: {
    says: 'an object with "l1", "l2" or both, numbers from 0 on',
    accepts: isRegularizer,
  },
  initializer: {
    says: 'the name of an initializer such as glorotUniform, or {"type": "...", "seed": N}',
    accepts: isInitializer,
  },
} as const;

const kernel = {
  useBias: 'switch?',
  kernelInitializer: 'initializer?',
  biasInitializer: 'initializer?',
  kernelRegularizer: 'regularizer?',
  biasRegularizer: 'regularizer?',
} as const;
const embeddingsOptions = {
  embeddingsInitializer: 'initializer?',
  embeddingsRegularizer: 'regularizer?',
} as const;
const window = { strides: 'pair?', padding: 'padding?' } as const;
const same = (input: readonly number[]) => input;
const none = () => 0;
const pooling: LayerType = {
  options: { poolSize: 'pair?', ...window },
  outputShape(input, layer) {
    const poolSize = pair(layer['poolSize'], [2, 2]);
    return slide(input, poolSize, pair(layer['strides'], poolSize), layer, input[2]);
  },
  numWeights: none,
};

const elementwise: LayerType = {
  ...{ options: {}, joins: true, numWeights: none },
  outputShape: (input, _layer, others) => (others.every((other) => isSame(other, input)) ? input : undefined),
};

export const layerTable: Readonly<Record<string, LayerType>> = {
  dense: {
    options: { units: 'count', activation: 'activation?', ...kernel },
    outputShape: (input, { units }) => [...input.slice(0, -1), units as number],
    numWeights: (input, { units, useBias }) => (input.at(-1)! + bias(useBias)) * (units as number),
  },
  dropout: { options: { rate: 'rate' }, outputShape: same, numWeights: none },
  activation: { options: { activation: 'activation' }, outputShape: same, numWeights: none },
  batchNormalization: {
    options: { momentum: 'rate?', epsilon: 'positive?', center: 'switch?', scale: 'switch?' },
    outputShape: same,
    numWeights: (input, { center, scale }) => input.at(-1)! * (2 + bias(center) + bias(scale)),
  },
  conv2d: {
    options: { filters: 'count', kernelSize: 'pair', activation: 'activation?', ...window, ...kernel },
    outputShape: (input, layer) =>
      slide(
        input,
        pair(layer['kernelSize'], [1, 1]),
        pair(layer['strides'], [1, 1]),
        layer,
        layer['filters'] as number,
      ),
    numWeights(input, { kernelSize, filters, useBias }) {
      const [height, width] = pair(kernelSize, [1, 1]);
      return (height * width * input[2] + bias(useBias)) * (filters as number);
    },
  },
  maxPooling2d: pooling,
  averagePooling2d: pooling,
  flatten: { options: {}, outputShape: (input) => [sizeOf(input)], numWeights: none },
  reshape: {
    options: { targetShape: 'shape' },
    outputShape(input, layer) {
      const targetShape = layer['targetShape'] as number[];
      return sizeOf(targetShape) === sizeOf(input) ? targetShape : undefined;
    },
    numWeights: none,
  },
  embedding: {
    options: { inputDim: 'count', outputDim: 'count', ...embeddingsOptions, maskZero: 'switch?' },
    outputShape: (input, { outputDim }) => [...input, outputDim as number],
    numWeights: (_input, { inputDim, outputDim }) => (inputDim as number) * (outputDim as number),
  },
  lstm: {
    options: {
      units: 'count',
      activation: 'activation?',
      recurrentActivation: 'activation?',
      recurrentInitializer: 'initializer?',
      recurrentRegularizer: 'regularizer?',
      unitForgetBias: 'switch?',
      returnSequences: 'switch?',
      ...kernel,
    },
    outputShape(input, layer) {
      if (input.length !== 2) return undefined;
      const units = layer['units'] as number;
      return layer['returnSequences'] === true ? [input[0], units] : [units];
    },
    numWeights: (input, { units, useBias }) =>
      4 * (units as number) * (input[1] + (units as number) + bias(useBias)),
  },
  add: elementwise,
  multiply: elementwise,
  average: elementwise,
  maximum: elementwise,
  minimum: elementwise,
  concatenate: {
    ...{ options: {}, joins: true, numWeights: none },
    outputShape: (input, _layer, others) =>
      others.every((other) => isSame(other.slice(0, -1), input.slice(0, -1)))
        ? input.with(
            -1,
            others.reduce((all, other) => all + other.at(-1)!, input.at(-1)!),
          )
        : undefined,
  },
};

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** Checks the type and the options of a layer. Throws MILLRACE_MODEL_INVALID naming what is wrong. */
export function checkLayer(layer: unknown, place: string): LayerSpec {
  if (typeof layer !== 'object' || layer === null || Array.isArray(layer)) {
    throw invalid(`${place} must be an object with a "type".`);
  }
  const { type, ...given } = layer as LayerSpec;
  if (typeof type !== 'string' || !Object.hasOwn(layerTable, type)) {
    const known = Object.keys(layerTable).join(', ');
    throw invalid(`${place} has the unknown type ${JSON.stringify(type)}; known are ${known}.`);
  }
  const { options } = layerTable[type];
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(options, name)) {
      const known = Object.keys(options).join(', ') || 'none';
      throw invalid(`${place} (${type}) has the unknown option "${name}"; known are: ${known}.`);
    }
    const kind = kinds[options[name].replace('?', '') as OptionKind];
    if (!kind.accepts(value)) {
      throw invalid(`${place} (${type}): "${name}" must be ${kind.says}, not ${JSON.stringify(value)}.`);
    }
  }
  const missing = Object.keys(options).find(
    (name) => !options[name].endsWith('?') && !Object.hasOwn(given, name),
  );
  if (missing !== undefined) throw invalid(`${place} (${type}) needs the option "${missing}".`);
  return layer as LayerSpec;
}

/** The two numbers of an option that may be given as one. */
export function pair(value: unknown, otherwise: readonly [number, number]): readonly [number, number] {
  if (value === undefined) return otherwise;
  return typeof value === 'number' ? [value, value] : (value as [number, number]);
}

/** The shape after a window has slid over [height, width, channels]. */
function slide(
  input: readonly number[],
  size: readonly [number, number],
  strides: readonly [number, number],
  layer: LayerSpec,
  channels: number,
): readonly number[] | undefined {
  if (input.length !== 3) return undefined;
  const along = (axis: 0 | 1) =>
    layer['padding'] === 'same'
      ? Math.ceil(input[axis] / strides[axis])
      : Math.floor((input[axis] - size[axis]) / strides[axis]) + 1;
  const shape = [along(0), along(1), channels];
  return shape.every((each) => each >= 1) ? shape : undefined;
}

/** Initializers by name, with the numbers they may be given beside `seed`. */
const initializers: Readonly<Record<string, readonly string[]>> = {
  zeros: [],
  ones: [],
  constant: ['value'],
  glorotUniform: [],
  glorotNormal: [],
  heUniform: [],
  heNormal: [],
  leCunUniform: [],
  leCunNormal: [],
  randomUniform: ['minval', 'maxval'],
  randomNormal: ['mean', 'stddev'],
  truncatedNormal: ['mean', 'stddev'],
  orthogonal: ['gain'],
};

function isInitializer(value: unknown): boolean {
  if (typeof value === 'string') return Object.hasOwn(initializers, value);
  if (typeof value !== 'object' || value === null) return false;
  const { type, seed, ...numbers } = value as Record<string, unknown>;
  return (
    typeof type === 'string' &&
    Object.hasOwn(initializers, type) &&
    (seed === undefined || Number.isSafeInteger(seed)) &&
    Object.entries(numbers).every(([name, number]) => initializers[type].includes(name) && isNumber(number))
  );
}

function isRegularizer(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length > 0 &&
    entries.every(([name, size]) => (name === 'l1' || name === 'l2') && isNumber(size) && size >= 0)
  );
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function oneOf(...choices: readonly string[]) {
  return {
    says: `one of ${choices.join(', ')}`,
    accepts: (value: unknown) => choices.includes(value as string),
  };
}

function bias(option: unknown): 0 | 1 {
  return option === false ? 0 : 1;
}

function invalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_MODEL_INVALID', message);
}
