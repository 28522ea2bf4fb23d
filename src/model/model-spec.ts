import { MillraceError } from '../errors.js';
import type { LayerSpec, ModelSpec } from './artifact.js';
import { checkLayer, layerTable } from './layer-table.js';
import { sizeOf } from './shape.js';

/** What follows from a specification without computing anything. */
export interface ModelPlan {
  readonly numFeatures: number;
  readonly numOutputs: number;
  readonly numWeights: number;
  /** Each layer with the shape of one row that leaves it. */
  readonly layers: readonly {
    readonly layer: LayerSpec;
    readonly outputShape: readonly number[];
    readonly numWeights: number;
  }[];
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
  const { inputShape, layers } = checkOutline(value);
  let shape: readonly number[] = inputShape;
  let numWeights = 0;
  const planned: ModelPlan['layers'][number][] = [];
  for (const [index, each] of layers.entries()) {
    const place = `Layer ${index + 1}`;
    const layer = checkLayer(each, place);
    const type = layerTable[layer.type];
    const outputShape = type.outputShape(shape, layer);
    if (outputShape === undefined) {
      throw invalid(`${place} (${layer.type}) cannot take rows of the shape [${shape.join(', ')}].`);
    }
    const ofLayer = type.numWeights(shape, layer);
    numWeights += ofLayer;
    if (numWeights > maxWeights)
      throw invalid(`${place} (${layer.type}) brings the model above ${maxWeights} weights.`);
    if (sizeOf(outputShape) > maxRowSize) {
      throw invalid(`${place} (${layer.type}) makes more than ${maxRowSize} numbers of one row.`);
    }
    planned.push({ layer, outputShape, numWeights: ofLayer });
    shape = outputShape;
  }
  if (shape.length !== 1) {
    throw invalid(
      `The last layer gives rows of the shape [${shape.join(', ')}]; end with flatten or a dense layer.`,
    );
  }
  return { numFeatures: sizeOf(inputShape), numOutputs: shape[0], numWeights, layers: planned };
}

function checkOutline(value: unknown): { inputShape: readonly number[]; layers: readonly unknown[] } {
  if (typeof value !== 'object' || value === null) {
    throw invalid('A model specification must be an object with "inputShape" and "layers".');
  }
  const { inputShape, layers, ...others } = value as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw invalid(
      `The model specification has the unknown entry "${unknown}"; known are inputShape, layers.`,
    );
  }
  const isSize = (size: unknown) => Number.isSafeInteger(size) && (size as number) >= 1;
  if (
    !Array.isArray(inputShape) ||
    inputShape.length === 0 ||
    inputShape.length > 5 ||
    !inputShape.every(isSize)
  ) {
    throw invalid(
      '"inputShape" of the model specification must be a list of whole numbers from 1 on, such as [28].',
    );
  }
  if (sizeOf(inputShape as number[]) > maxRowSize)
    throw invalid(`"inputShape" must not exceed ${maxRowSize} numbers.`);
  if (!Array.isArray(layers) || layers.length === 0 || layers.length > maxLayers) {
    throw invalid(`"layers" of the model specification must be a list of 1 to ${maxLayers} layers.`);
  }
  return { inputShape: inputShape as number[], layers };
}

function invalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_MODEL_INVALID', message);
}
