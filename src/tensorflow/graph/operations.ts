import type { GraphTensor, TensorType } from './graph.js';
import type { Attribute, DataType } from './saved-model.js';

/**
 * Operations on the tensors of a graph, with the names and the meaning of TensorFlow. Only the size of a batch may be
 * open (-1), so that the shape of a result is known as far as those of its inputs are.
 */

/** A tensor, or a number that stands for a constant. */
export type Operand = GraphTensor | number;

const float = (shape: readonly number[]): TensorType => ({ dtype: 'float32', shape });
const typed = (tensor: TensorType) => ({ T: { type: tensor.dtype } }) as const;

function unary(op: string): (x: GraphTensor) => GraphTensor {
  return (x) => x.graph.addOne(op, [x], typed(x), x);
}

export const abs = unary('Abs');
export const elu = unary('Elu');
export const erf = unary('Erf');
export const exp = unary('Exp');
export const identity = unary('Identity');
export const log = unary('Log');
export const logSoftmax = (x: GraphTensor) => x.graph.addOne('LogSoftmax', [x], typed(x), x);
export const neg = unary('Neg');
export const relu = unary('Relu');
export const relu6 = unary('Relu6');
export const rsqrt = unary('Rsqrt');
export const selu = unary('Selu');
export const sigmoid = unary('Sigmoid');
export const sign = unary('Sign');
export const softmax = unary('Softmax');
export const softplus = unary('Softplus');
export const softsign = unary('Softsign');
export const sqrt = unary('Sqrt');
export const square = unary('Square');
export const tanh = unary('Tanh');
export const zerosLike = unary('ZerosLike');

function binary(op: string, dtype?: DataType): (a: Operand, b: Operand) => GraphTensor {
  return (first, second) => {
    const [a, b] = operands(first, second);
    const shape = broadcastShape(a.shape, b.shape);
    return a.graph.addOne(op, [a, b], typed(a), { dtype: dtype ?? a.dtype, shape });
  };
}

export const add = binary('AddV2');
export const div = binary('RealDiv');
export const maximum = binary('Maximum');
export const minimum = binary('Minimum');
export const mul = binary('Mul');
export const sub = binary('Sub');
export const equal = binary('Equal', 'bool');
export const greater = binary('Greater', 'bool');
export const greaterEqual = binary('GreaterEqual', 'bool');
export const lessEqual = binary('LessEqual', 'bool');
export const notEqual = binary('NotEqual', 'bool');

function operands(a: Operand, b: Operand): [GraphTensor, GraphTensor] {
  const known = (typeof a === 'number' ? b : a) as GraphTensor;
  const tensorOf = (each: Operand) =>
    typeof each === 'number' ? known.graph.number(each, known.dtype === 'int32' ? 'int32' : 'float32') : each;
  return [tensorOf(a), tensorOf(b)];
}

function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [ofA, ofB] = [a, b].map((shape) => shape[axis - rank + shape.length] ?? 1);
    return ofA === 1 ? ofB : ofA;
  });
}

/** Elementwise `a` where the condition holds, else `b`. */
export function select(condition: GraphTensor, a: Operand, b: Operand): GraphTensor {
  const [first, second] = [a, b].map((each) =>
    typeof each === 'number' ? condition.graph.number(each) : each,
  );
  const shape = broadcastShape(condition.shape, broadcastShape(first.shape, second.shape));
  return condition.graph.addOne('SelectV2', [condition, first, second], typed(first), float(shape));
}

export function cast(x: GraphTensor, dtype: DataType): GraphTensor {
  if (x.dtype === dtype) return x;
  const attributes = { SrcT: { type: x.dtype }, DstT: { type: dtype } } as const;
  return x.graph.addOne('Cast', [x], attributes, { dtype, shape: x.shape });
}

/** The shape of a tensor when it runs, as int32 of one axis. */
export function shapeOf(x: GraphTensor): GraphTensor {
  if (!x.shape.includes(-1)) return x.graph.integers(x.shape);
  const attributes = { T: { type: x.dtype }, out_type: { type: 'int32' } } as const;
  return x.graph.addOne('Shape', [x], attributes, { dtype: 'int32', shape: [x.shape.length] });
}

/** The size along one axis when it runs, as an int32 scalar. */
export function sizeAlong(x: GraphTensor, axis: number): GraphTensor {
  return gather(shapeOf(x), x.graph.number(axis, 'int32'));
}

/** How many numbers a tensor has when it runs, as a float32 scalar. */
export function sizeOf(x: GraphTensor): GraphTensor {
  const attributes = { T: { type: x.dtype }, out_type: { type: 'int32' } } as const;
  return cast(x.graph.addOne('Size', [x], attributes, { dtype: 'int32', shape: [] }), 'float32');
}

/** @param shape -1 at most once, for what is left */
export function reshape(x: GraphTensor, shape: readonly number[]): GraphTensor {
  if (x.shape.length === shape.length && x.shape.every((size, axis) => size === shape[axis])) return x;
  return reshapeTo(x, x.graph.integers(shape), shape);
}

/** As `reshape`, to a shape that is only known when it runs. @param shape what is known of it */
export function reshapeTo(x: GraphTensor, sizes: GraphTensor, shape: readonly number[]): GraphTensor {
  const attributes = { ...typed(x), Tshape: { type: 'int32' } } as const;
  return x.graph.addOne('Reshape', [x, sizes], attributes, { dtype: x.dtype, shape });
}

export function broadcastTo(x: GraphTensor, sizes: GraphTensor, shape: readonly number[]): GraphTensor {
  const attributes = { ...typed(x), Tidx: { type: 'int32' } } as const;
  return x.graph.addOne('BroadcastTo', [x, sizes], attributes, { dtype: x.dtype, shape });
}

export function expandDims(x: GraphTensor, axis: number): GraphTensor {
  const attributes = { ...typed(x), Tdim: { type: 'int32' } } as const;
  const shape = x.shape.toSpliced(axis, 0, 1);
  return x.graph.addOne('ExpandDims', [x, x.graph.number(axis, 'int32')], attributes, {
    dtype: x.dtype,
    shape,
  });
}

export function transpose(x: GraphTensor, order: readonly number[]): GraphTensor {
  const attributes = { ...typed(x), Tperm: { type: 'int32' } } as const;
  const shape = order.map((axis) => x.shape[axis]);
  return x.graph.addOne('Transpose', [x, x.graph.integers(order)], attributes, { dtype: x.dtype, shape });
}

function reduction(op: string): (x: GraphTensor, axes: readonly number[], keepDims?: boolean) => GraphTensor {
  return (x, axes, keepDims = false) => {
    const attributes = { ...typed(x), Tidx: { type: 'int32' }, keep_dims: { bool: keepDims } } as const;
    const shape = x.shape.flatMap((size, axis) => (axes.includes(axis) ? (keepDims ? [1] : []) : [size]));
    return x.graph.addOne(op, [x, x.graph.integers(axes)], attributes, { dtype: x.dtype, shape });
  };
}

export const sum = reduction('Sum');
export const mean = reduction('Mean');

/** Every axis of a tensor. */
export function allAxes(x: TensorType): number[] {
  return x.shape.map((_, axis) => axis);
}

/** rows x inner times inner x columns. */
export function matMul(
  a: GraphTensor,
  b: GraphTensor,
  { transposeA = false, transposeB = false } = {},
): GraphTensor {
  const attributes = {
    T: { type: 'float32' },
    transpose_a: { bool: transposeA },
    transpose_b: { bool: transposeB },
  } as const;
  const shape = [a.shape[transposeA ? 1 : 0], b.shape[transposeB ? 0 : 1]];
  return a.graph.addOne('MatMul', [a, b], attributes, float(shape));
}

/** Adds one number per column, the last axis. */
export function biasAdd(x: GraphTensor, bias: GraphTensor): GraphTensor {
  return x.graph.addOne('BiasAdd', [x, bias], typed(x), x);
}

/** How a window goes over images of batch x height x width x channels. */
export interface Window {
  readonly size: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: 'valid' | 'same';
}

/** The attributes of what slides over images. */
export function slideAttributes({ strides, padding }: Omit<Window, 'size'>): Record<string, Attribute> {
  return {
    T: { type: 'float32' },
    strides: { ints: [1, ...strides, 1] },
    padding: { text: padding.toUpperCase() },
  };
}

function slidShape(image: readonly number[], { size, strides, padding }: Window, channels: number): number[] {
  const along = (axis: 0 | 1) =>
    padding === 'same'
      ? Math.ceil(image[axis + 1] / strides[axis])
      : Math.floor((image[axis + 1] - size[axis]) / strides[axis]) + 1;
  return [image[0], along(0), along(1), channels];
}

/** @param filters height x width x channels x filters */
export function conv2d(x: GraphTensor, filters: GraphTensor, window: Omit<Window, 'size'>): GraphTensor {
  const [height, width, , numFilters] = filters.shape;
  const shape = slidShape(x.shape, { ...window, size: [height, width] }, numFilters);
  return x.graph.addOne('Conv2D', [x, filters], slideAttributes(window), float(shape));
}

function pooling(op: string): (x: GraphTensor, window: Window) => GraphTensor {
  return (x, window) => {
    const attributes = { ...slideAttributes(window), ksize: { ints: [1, ...window.size, 1] } };
    return x.graph.addOne(op, [x], attributes, float(slidShape(x.shape, window, x.shape[3])));
  };
}

export const maxPool = pooling('MaxPool');
export const avgPool = pooling('AvgPool');

/** The entries of the first axis of `x` that `indices` (int32, of any shape) names. */
export function gather(x: GraphTensor, indices: GraphTensor): GraphTensor {
  const attributes = {
    Tparams: { type: x.dtype },
    Tindices: { type: 'int32' },
    Taxis: { type: 'int32' },
    batch_dims: { int: 0 },
  } as const;
  const shape = [...indices.shape, ...x.shape.slice(1)];
  return x.graph.addOne('GatherV2', [x, indices, x.graph.number(0, 'int32')], attributes, {
    dtype: x.dtype,
    shape,
  });
}

/**
 * Of each row, the entries of the second axis that `indices` names.
 *
 * @param x rows x entries x size
 * @param indices int32, rows x chosen
 * @returns rows x chosen x size
 */
export function gatherRows(x: GraphTensor, indices: GraphTensor): GraphTensor {
  const { graph } = x;
  const [, chosen] = indices.shape;
  const numRows = sizeAlong(x, 0);
  const range = graph.addOne(
    'Range',
    [graph.number(0, 'int32'), numRows, graph.number(1, 'int32')],
    { Tidx: { type: 'int32' } },
    { dtype: 'int32', shape: [-1] },
  );
  const rows = broadcastTo(expandDims(range, 1), shapeOf(indices), indices.shape);
  const places = stack([rows, indices]);
  const attributes = { Tparams: { type: x.dtype }, Tindices: { type: 'int32' } } as const;
  return graph.addOne('GatherNd', [x, places], attributes, {
    dtype: x.dtype,
    shape: [x.shape[0], chosen, ...x.shape.slice(2)],
  });
}

/** The sum of each row up to and with each column. */
export function cumsum(x: GraphTensor): GraphTensor {
  const attributes = {
    ...typed(x),
    Tidx: { type: 'int32' },
    exclusive: { bool: false },
    reverse: { bool: false },
  } as const;
  return x.graph.addOne('Cumsum', [x, x.graph.number(1, 'int32')], attributes, x);
}

/** Where the largest number of each row stands, the first of equals; int32. */
export function argMax(x: GraphTensor): GraphTensor {
  const attributes = { ...typed(x), Tidx: { type: 'int32' }, output_type: { type: 'int32' } } as const;
  return x.graph.addOne('ArgMax', [x, x.graph.number(1, 'int32')], attributes, {
    dtype: 'int32',
    shape: [x.shape[0]],
  });
}

/** Where the `count` largest numbers of each row stand, the largest first; int32. */
export function topIndices(x: GraphTensor, count: number): GraphTensor {
  const shape = [x.shape[0], count];
  return x.graph.add({
    op: 'TopKV2',
    inputs: [x, x.graph.number(count, 'int32')],
    attributes: { ...typed(x), sorted: { bool: true } },
    results: [float(shape), { dtype: 'int32', shape }],
  }).outputs[1];
}

/** Joins tensors along an axis. */
export function concat(tensors: readonly GraphTensor[], axis: number): GraphTensor {
  if (tensors.length === 1) return tensors[0];
  const [{ graph, dtype, shape }] = tensors;
  const attributes = { N: { int: tensors.length }, T: { type: dtype }, Tidx: { type: 'int32' } } as const;
  const sizes = tensors.map((each) => each.shape[axis]);
  const size = sizes.includes(-1) ? -1 : sizes.reduce((all, each) => all + each, 0);
  return graph.addOne('ConcatV2', [...tensors, graph.number(axis, 'int32')], attributes, {
    dtype,
    shape: shape.with(axis, size),
  });
}

/** Puts tensors of one shape behind one another along a new first axis. */
export function pack(tensors: readonly GraphTensor[]): GraphTensor {
  const [{ graph, dtype, shape }] = tensors;
  const attributes = { N: { int: tensors.length }, T: { type: dtype }, axis: { int: 0 } } as const;
  return graph.addOne('Pack', tensors, attributes, { dtype, shape: [tensors.length, ...shape] });
}

/** Puts tensors of one shape side by side along a new last axis. */
function stack(tensors: readonly GraphTensor[]): GraphTensor {
  const [{ graph, dtype, shape }] = tensors;
  const attributes = { N: { int: tensors.length }, T: { type: dtype }, axis: { int: shape.length } } as const;
  return graph.addOne('Pack', tensors, attributes, { dtype, shape: [...shape, tensors.length] });
}

/** The part of a tensor from `begin` on. @param size along each axis, -1 for all that is left */
export function slice(x: GraphTensor, begin: readonly number[], size: readonly number[]): GraphTensor {
  const shape = size.map((each, axis) =>
    each === -1 && x.shape[axis] !== -1 ? x.shape[axis] - begin[axis] : each,
  );
  return sliceAt(x, x.graph.integers(begin), x.graph.integers(size), shape);
}

/** As `slice`, at a place that is only known when it runs. @param shape what is known of the result */
export function sliceAt(
  x: GraphTensor,
  begin: GraphTensor,
  size: GraphTensor,
  shape: readonly number[],
): GraphTensor {
  const attributes = { ...typed(x), Index: { type: 'int32' } } as const;
  return x.graph.addOne('Slice', [x, begin, size], attributes, { dtype: x.dtype, shape });
}

/** Cuts the columns of rows x columns into parts of these widths. */
export function splitColumns(x: GraphTensor, widths: readonly number[]): GraphTensor[] {
  if (widths.length === 1) return [x];
  let start = 0;
  return widths.map((width) => {
    const part = slice(x, [0, start], [-1, width]);
    start += width;
    return part;
  });
}

/**
 * The loss of each row, -sum y log softmax(z), and what it gives to the logits z.
 *
 * @param targets as `logits` for `categorical`; class indices, int32 of one axis, for `sparse`
 */
export function softmaxCrossEntropy(
  kind: 'categorical' | 'sparse',
  logits: GraphTensor,
  targets: GraphTensor,
): GraphTensor {
  const ofRow = float([logits.shape[0]]);
  const isSparse = kind === 'sparse';
  const attributes: Record<string, Attribute> = { T: { type: 'float32' } };
  if (isSparse) attributes['Tlabels'] = { type: 'int32' };
  return logits.graph.add({
    op: isSparse ? 'SparseSoftmaxCrossEntropyWithLogits' : 'SoftmaxCrossEntropyWithLogits',
    inputs: [logits, targets],
    attributes,
    results: [ofRow, logits],
  }).outputs[0];
}

/** Numbers from 0 to below 1 that follow from the seed alone. @param seed int32, two numbers */
export function statelessUniform(like: GraphTensor, seed: GraphTensor): GraphTensor {
  const attributes = { dtype: { type: 'float32' }, T: { type: 'int32' }, Tseed: { type: 'int32' } } as const;
  return like.graph.addOne('StatelessRandomUniform', [shapeOf(like), seed], attributes, float(like.shape));
}

/** The value that a variable has at this moment. */
export function readVariable(handle: GraphTensor, shape: readonly number[]): GraphTensor {
  return handle.graph.addOne('ReadVariableOp', [handle], { dtype: { type: 'float32' } }, float(shape));
}
