import { MillraceError } from '../errors.js';
import type { InputSpec, LayerSpec, ModelSpec } from './artifact.js';
import { checkLayer, layerTable } from './layer-table.js';
import { sizeOf } from './shape.js';

/** What follows from a specification without computing anything. */
export interface ModelPlan {
  readonly numFeatures: number;
  readonly numOutputs: number;
  readonly numWeights: number;
  readonly inputs: readonly InputSpec[];
  /** Each layer with the shape of one row that leaves it. */
  readonly layers: readonly PlannedLayer[];
  /** Names of the layers that come out. */
  readonly outputs: readonly string[];
}

/** A layer in its place. */
export interface PlannedLayer {
  /** Without name and sources. */
  readonly layer: LayerSpec;
  /** Its own, or type and place, such as `dense_1`. */
  readonly name: string;
  /** Names of the inputs and layers that it reads. */
  readonly from: readonly string[];
  readonly outputShape: readonly number[];
  readonly numWeights: number;
}

/** A gigabyte of weights, and four of them with adam's state: what one process can be expected to train. */
const maxWeights = 2 ** 28;
/** Numbers that one row may be between two layers. */
const maxRowSize = 2 ** 24;
const maxLayers = 1000;

/** Checks a specification that came from outside. Throws MILLRACE_MODEL_INVALID naming the layer and the option. */
export function checkModelSpec(value: unknown): ModelSpec {
  planModel(value);
  return value as ModelSpec;
}

/** Follows the shape of a row through all layers. Throws MILLRACE_MODEL_INVALID where it does not fit. */
export function planModel(value: unknown): ModelPlan {
  const { inputShape, inputs, layers, outputs } = checkOutline(value);
  const shapes = new Map(inputs.map(({ name, shape }) => [name, shape]));
  let numWeights = 0;
  const planned: PlannedLayer[] = [];
  for (const [index, each] of layers.entries()) {
    const place = `Layer ${index + 1}`;
    const { name: given, from: sources, ...bare } = Object(each) as Record<string, unknown>;
    const layer = checkLayer(
      typeof each === 'object' && each !== null && !Array.isArray(each) ? bare : each,
      place,
    );
    const type = layerTable[layer.type];
    const before = planned.at(-1)?.name ?? (inputs.length === 1 ? inputs[0].name : undefined);
    const from = checkSources(sources ?? before, shapes, `${place} (${layer.type})`);
    const name = given === undefined ? `${layer.type}_${index + 1}` : checkName(given, place);
    if (shapes.has(name)) throw invalid(`${place} (${layer.type}) has the name "${name}", which is taken.`);
    const [first, ...others] = from.map((source) => shapes.get(source)!);
    const fits = type.joins === true ? others.length > 0 : others.length === 0;
    const outputShape = fits ? type.outputShape(first, layer, others) : undefined;
    if (outputShape === undefined) {
      const rows = [first, ...others].map((shape) => `[${shape.join(', ')}]`).join(' and ');
      throw invalid(`${place} (${layer.type}) cannot take rows of the shape ${rows}.`);
    }
    const ofLayer = type.numWeights(first, layer);
    numWeights += ofLayer;
    if (numWeights > maxWeights)
      throw invalid(`${place} (${layer.type}) brings the model above ${maxWeights} weights.`);
    if (sizeOf(outputShape) > maxRowSize) {
      throw invalid(`${place} (${layer.type}) makes more than ${maxRowSize} numbers of one row.`);
    }
    planned.push({ layer, name, from, outputShape, numWeights: ofLayer });
    shapes.set(name, outputShape);
  }
  const last = outputs ?? [planned.at(-1)!.name];
  const sizes = last.map((name) => outputSize(name, planned));
  requireUse(inputs, planned, last);
  const numOutputs = sizes.reduce((sum, size) => sum + size, 0);
  return { numFeatures: sizeOf(inputShape), numOutputs, numWeights, inputs, layers: planned, outputs: last };
}

/** Whether each layer reads the one before and the last one comes out. */
export function isSequential({ inputs, layers, outputs }: ModelSpec): boolean {
  return inputs === undefined && outputs === undefined && layers.every(({ from }) => from === undefined);
}

function checkSources(value: unknown, known: ReadonlyMap<string, unknown>, place: string): readonly string[] {
  const names: unknown[] = Array.isArray(value) ? value : [value];
  if (names.length === 0 || names.length > maxLayers || value === undefined) {
    throw invalid(`${place} must say with "from" which inputs or layers it reads.`);
  }
  const missing = names.find((name) => typeof name !== 'string' || !known.has(name));
  if (missing !== undefined) {
    throw invalid(
      `${place} reads from ${JSON.stringify(missing)}, which is no input and no layer before it.`,
    );
  }
  return names as string[];
}

function checkName(value: unknown, place: string): string {
  if (typeof value === 'string' && /^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(value)) return value;
  throw invalid(
    `${place} has the name ${JSON.stringify(value)}; names are up to 64 letters, digits, _ and -, a letter first.`,
  );
}

function outputSize(name: string, planned: readonly PlannedLayer[]): number {
  const found = planned.find((each) => each.name === name);
  if (found === undefined) throw invalid(`The output "${name}" is no layer.`);
  if (found.outputShape.length === 1) return found.outputShape[0];
  throw invalid(
    `The last layer gives rows of the shape [${found.outputShape.join(', ')}]; end with flatten or a dense layer.`,
  );
}

/** What leads nowhere would be left out of the network, and its weights would be missing. */
function requireUse(
  inputs: readonly InputSpec[],
  planned: readonly PlannedLayer[],
  outputs: readonly string[],
): void {
  const used = new Set([...outputs, ...planned.flatMap(({ from }) => from)]);
  const idle = [...inputs, ...planned].find(({ name }) => !used.has(name));
  if (idle !== undefined) throw invalid(`"${idle.name}" is neither read by a layer nor an output.`);
  if (new Set(outputs).size !== outputs.length) throw invalid('"outputs" must name each layer once.');
}

interface Outline {
  readonly inputShape: readonly number[];
  readonly inputs: readonly InputSpec[];
  readonly layers: readonly unknown[];
  readonly outputs: readonly string[] | undefined;
}

function checkOutline(value: unknown): Outline {
  if (typeof value !== 'object' || value === null) {
    throw invalid('A model specification must be an object with "inputShape" and "layers".');
  }
  const { inputShape, inputs, layers, outputs, ...others } = value as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw invalid(
      `The model specification has the unknown entry "${unknown}"; known are inputShape, inputs, layers, outputs.`,
    );
  }
  if (!isShape(inputShape)) {
    throw invalid(
      '"inputShape" of the model specification must be a list of whole numbers from 1 on, such as [28].',
    );
  }
  if (sizeOf(inputShape) > maxRowSize) throw invalid(`"inputShape" must not exceed ${maxRowSize} numbers.`);
  if (!Array.isArray(layers) || layers.length === 0 || layers.length > maxLayers) {
    throw invalid(`"layers" of the model specification must be a list of 1 to ${maxLayers} layers.`);
  }
  if (outputs !== undefined && !isListOfNames(outputs)) {
    throw invalid('"outputs" of the model specification must be a list of names of layers.');
  }
  return { inputShape, inputs: checkInputs(inputs, inputShape), layers, outputs };
}

function checkInputs(value: unknown, inputShape: readonly number[]): InputSpec[] {
  if (value === undefined) return [{ name: 'input', shape: inputShape }];
  if (!Array.isArray(value) || value.length === 0 || value.length > maxLayers) {
    throw invalid(`"inputs" of the model specification must be a list of 1 to ${maxLayers} inputs.`);
  }
  const inputs = value.map((each: unknown, index) => {
    const { name, shape, ...others } = Object(each) as Record<string, unknown>;
    if (!isShape(shape) || Object.keys(others).length > 0) {
      throw invalid(`Input ${index + 1} must be an object with "name" and "shape", and no other entry.`);
    }
    return { name: checkName(name, `Input ${index + 1}`), shape };
  });
  if (new Set(inputs.map(({ name }) => name)).size < inputs.length)
    throw invalid('Each of the "inputs" needs a name of its own.');
  const size = inputs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (inputShape.length !== 1 || inputShape[0] !== size)
    throw invalid(`"inputShape" must be [${size}], the size of the inputs together.`);
  return inputs;
}

function isShape(value: unknown): value is number[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= 5 &&
    value.every((size: unknown) => Number.isSafeInteger(size) && (size as number) >= 1)
  );
}

function isListOfNames(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= maxLayers &&
    value.every((name: unknown) => typeof name === 'string')
  );
}

function invalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_MODEL_INVALID', message);
}
