import type { GraphNode, GraphTensor } from './graph.js';
import * as ops from './operations.js';
import type { Attribute } from './saved-model.js';

/**
 * The derivative of one operation: from the gradients of its results (undefined where nothing depends on one) those
 * of its inputs (undefined where there is none, as for indices).
 */
type GradientRule = (
  node: GraphNode,
  gradients: readonly (GraphTensor | undefined)[],
) => readonly (GraphTensor | undefined)[];

/**
 * The gradient of a scalar after each of some tensors, by reverse accumulation (Griewank & Walther, "Evaluating
 * Derivatives", 2008, chapter 3). A tensor that the scalar does not depend on has the gradient undefined.
 *
 * Throws Error when an operation on the way has no rule.
 *
 * @param starts what the scalar is computed from at last, with its gradient after each
 */
export function gradientsOf(
  starts: ReadonlyMap<GraphTensor, GraphTensor>,
  tensors: readonly GraphTensor[],
): (GraphTensor | undefined)[] {
  const order = dependents([...starts.keys()], tensors);
  const gradients = new Map<GraphTensor, GraphTensor>();
  const accumulate = (tensor: GraphTensor, gradient: GraphTensor) => {
    const known = gradients.get(tensor);
    gradients.set(tensor, known === undefined ? gradient : ops.add(known, gradient));
  };
  for (const [tensor, gradient] of starts) accumulate(tensor, gradient);
  for (const node of order.reverse()) {
    const ofOutputs = node.outputs.map((output) => gradients.get(output));
    if (ofOutputs.every((gradient) => gradient === undefined)) continue;
    if (tensors.some((tensor) => tensor.node === node)) continue;
    const rule = rules[node.op];
    if (rule === undefined) throw new Error(`there is no gradient of ${node.op}`);
    for (const [i, gradient] of rule(node, ofOutputs).entries()) {
      if (gradient !== undefined) accumulate(node.inputs[i], gradient);
    }
  }
  return tensors.map((tensor) => gradients.get(tensor));
}

/** The nodes between the tensors and the starts that depend on them, each behind those that it depends on. */
function dependents(starts: readonly GraphTensor[], tensors: readonly GraphTensor[]): GraphNode[] {
  const ends = new Set(tensors.map(({ node }) => node));
  const isDependent = new Map<GraphNode, boolean>();
  const order: GraphNode[] = [];
  for (const start of starts) {
    // A stack of its own: networks may be deeper than the stack of JavaScript.
    const stack: { readonly node: GraphNode; next: number }[] = [];
    const visit = (node: GraphNode) => {
      if (isDependent.has(node)) return;
      isDependent.set(node, false);
      stack.push({ node, next: 0 });
    };
    visit(start.node);
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      if (ends.has(top.node)) top.next = top.node.inputs.length;
      if (top.next < top.node.inputs.length) {
        visit(top.node.inputs[top.next++].node);
        continue;
      }
      stack.pop();
      // Shapes, indices and comparisons do not follow a small change.
      const isSmooth = top.node.outputs.some(({ dtype }) => dtype === 'float32');
      const depends =
        ends.has(top.node) ||
        (isSmooth && top.node.inputs.some(({ node }) => isDependent.get(node) === true));
      isDependent.set(top.node, depends);
      if (depends) order.push(top.node);
    }
  }
  return order;
}

/** An operation whose only result has the type of its first input, as most gradients have. */
function like(
  x: GraphTensor,
  op: string,
  inputs: readonly GraphTensor[],
  attributes: Readonly<Record<string, Attribute>> = { T: { type: 'float32' } },
): GraphTensor {
  return x.graph.addOne(op, inputs, attributes, x);
}

/** Of a function of one tensor, from its input, its output and the gradient of that. */
function pointwise(
  rule: (x: GraphTensor, y: GraphTensor, gradient: GraphTensor) => GraphTensor,
): GradientRule {
  return ({ inputs: [x], outputs: [y] }, [gradient]) => [rule(x, y, gradient!)];
}

/** Of a function of two tensors that are broadcast to one shape. */
function pairwise(
  rule: (a: GraphTensor, b: GraphTensor, gradient: GraphTensor) => readonly [GraphTensor, GraphTensor],
): GradientRule {
  return ({ inputs: [a, b] }, [gradient]) => {
    const [ofA, ofB] = rule(a, b, gradient!);
    return [sumTo(ofA, a), sumTo(ofB, b)];
  };
}

/** Undoes a broadcast: sums over the axes that `target` does not have or has only one of. */
function sumTo(gradient: GraphTensor, target: GraphTensor): GraphTensor {
  const missing = gradient.shape.length - target.shape.length;
  const axes = gradient.shape.flatMap((size, axis) =>
    axis < missing || (target.shape[axis - missing] === 1 && size !== 1) ? [axis] : [],
  );
  if (axes.length === 0) return gradient;
  return ops.reshape(ops.sum(gradient, axes), target.shape);
}

/** Of a sum over axes: every entry gets what its sum got. */
function spread(x: GraphTensor, y: GraphTensor, gradient: GraphTensor): GraphTensor {
  let kept = gradient;
  if (y.shape.length < x.shape.length) {
    for (const axis of constantOf(y.node.inputs[1])) kept = ops.expandDims(kept, axis);
  }
  return ops.broadcastTo(kept, ops.shapeOf(x), x.shape);
}

/** The whole numbers of a constant that tells an operation its axes. */
function constantOf(tensor: GraphTensor): number[] {
  let { node } = tensor;
  // Inside a loop the constant is seen through the operation that brings it in.
  while (node.op === 'Enter') ({ node } = node.inputs[0]);
  const { value } = node.attributes;
  return 'tensor' in value ? [...value.tensor.values] : [];
}

const rules: Readonly<Record<string, GradientRule | undefined>> = {
  Abs: pointwise((x, _, g) => ops.mul(g, ops.sign(x))),
  AddV2: pairwise((_a, _b, g) => [g, g]),
  AvgPool: ({ inputs: [x], attributes: { T, ...window } }, [g]) => [
    like(x, 'AvgPoolGrad', [ops.shapeOf(x), g!], { T, ...window }),
  ],
  BiasAdd: (_, [g]) => {
    const columns = g!.shape.at(-1)!;
    return [
      g,
      g!.graph.addOne(
        'BiasAddGrad',
        [g!],
        { T: { type: 'float32' } },
        { dtype: 'float32', shape: [columns] },
      ),
    ];
  },
  BlockLSTMV2: blockLstm,
  BroadcastTo: ({ inputs: [x] }, [g]) => [sumTo(g!, x)],
  Cast: (_, [g]) => [g],
  ConcatV2({ inputs }, [g]) {
    const parts = inputs.slice(0, -1);
    const [axis] = constantOf(inputs.at(-1)!);
    let start = 0;
    return parts.map(({ shape }) => {
      const begin = shape.map((_, each) => (each === axis ? start : 0));
      start += shape[axis];
      return ops.slice(
        g!,
        begin,
        shape.map((size, each) => (each === axis ? size : -1)),
      );
    });
  },
  Conv2D({ inputs: [x, filters], attributes }, [g]) {
    return [
      like(x, 'Conv2DBackpropInput', [ops.shapeOf(x), filters, g!], attributes),
      like(filters, 'Conv2DBackpropFilter', [x, ops.shapeOf(filters), g!], attributes),
    ];
  },
  Elu: pointwise((x, y, g) => like(x, 'EluGrad', [g, y])),
  Erf: pointwise((x, _, g) => ops.mul(ops.mul(g, 2 / Math.sqrt(Math.PI)), ops.exp(ops.neg(ops.square(x))))),
  Exp: pointwise((_, y, g) => ops.mul(g, y)),
  ExpandDims: pointwise((x, _, g) => ops.reshapeTo(g, ops.shapeOf(x), x.shape)),
  GatherV2({ inputs: [x, indices] }, [g]) {
    const [, ...rest] = x.shape;
    const attributes = {
      T: { type: 'float32' },
      Tindices: { type: 'int32' },
      Tnumsegments: { type: 'int32' },
    } as const;
    // One entry alone may have an open size of its own, several have not.
    const rows = indices.shape.length === 0 ? ops.expandDims(g!, 0) : ops.reshape(g!, [-1, ...rest]);
    const inputs = [rows, ops.reshape(indices, [-1]), ops.sizeAlong(x, 0)];
    return [like(x, 'UnsortedSegmentSum', inputs, attributes)];
  },
  GatherNd({ inputs: [x, indices] }, [g]) {
    const attributes = { T: { type: 'float32' }, Tindices: { type: 'int32' } } as const;
    return [like(x, 'ScatterNd', [indices, g!, ops.shapeOf(x)], attributes)];
  },
  Identity: (_, [g]) => [g],
  Log: pointwise((x, _, g) => ops.div(g, x)),
  LogSoftmax: pointwise((_, y, g) => ops.sub(g, ops.mul(ops.exp(y), ops.sum(g, [y.shape.length - 1], true)))),
  MatMul: ({ inputs: [a, b] }, [g]) => [
    ops.matMul(g!, b, { transposeB: true }),
    ops.matMul(a, g!, { transposeA: true }),
  ],
  Maximum: pairwise((a, b, g) => {
    const isA = ops.greaterEqual(a, b);
    return [ops.select(isA, g, 0), ops.select(isA, 0, g)];
  }),
  MaxPool: ({ inputs: [x], outputs: [y], attributes }, [g]) => [
    like(x, 'MaxPoolGrad', [x, y, g!], attributes),
  ],
  Mean: pointwise((x, y, g) => spread(x, y, ops.mul(g, ops.div(ops.sizeOf(y), ops.sizeOf(x))))),
  Minimum: pairwise((a, b, g) => {
    const isA = ops.lessEqual(a, b);
    return [ops.select(isA, g, 0), ops.select(isA, 0, g)];
  }),
  Mul: pairwise((a, b, g) => [ops.mul(g, b), ops.mul(g, a)]),
  Neg: pointwise((_x, _y, g) => ops.neg(g)),
  RealDiv: pairwise((a, b, g) => [ops.div(g, b), ops.neg(ops.div(ops.mul(g, a), ops.square(b)))]),
  Relu: pointwise((x, y, g) => like(x, 'ReluGrad', [g, y])),
  Relu6: pointwise((x, y, g) => like(x, 'Relu6Grad', [g, y])),
  Reshape: pointwise((x, _, g) => ops.reshapeTo(g, ops.shapeOf(x), x.shape)),
  Rsqrt: pointwise((x, y, g) => like(x, 'RsqrtGrad', [y, g])),
  SelectV2({ inputs: [condition, a, b] }, [g]) {
    return [undefined, sumTo(ops.select(condition, g!, 0), a), sumTo(ops.select(condition, 0, g!), b)];
  },
  Selu: pointwise((x, y, g) => like(x, 'SeluGrad', [g, y])),
  Sigmoid: pointwise((x, y, g) => like(x, 'SigmoidGrad', [y, g])),
  Softmax: pointwise((_, y, g) => ops.mul(ops.sub(g, ops.sum(ops.mul(g, y), [y.shape.length - 1], true)), y)),
  SoftmaxCrossEntropyWithLogits: crossEntropy,
  Softplus: pointwise((x, _, g) => like(x, 'SoftplusGrad', [g, x])),
  Softsign: pointwise((x, _, g) => like(x, 'SoftsignGrad', [g, x])),
  SparseSoftmaxCrossEntropyWithLogits: crossEntropy,
  Sqrt: pointwise((x, y, g) => like(x, 'SqrtGrad', [y, g])),
  Square: pointwise((x, _, g) => ops.mul(g, ops.mul(x, 2))),
  Sub: pairwise((_a, _b, g) => [g, ops.neg(g)]),
  Sum: pointwise((x, y, g) => spread(x, y, g)),
  Tanh: pointwise((x, y, g) => like(x, 'TanhGrad', [y, g])),
  Transpose({ inputs: [, order] }, [g]) {
    const forward = constantOf(order);
    return [
      ops.transpose(
        g!,
        forward.map((_, axis) => forward.indexOf(axis)),
      ),
    ];
  },
};

/** The operation has its own gradient as its second result. */
function crossEntropy(node: GraphNode, [g]: readonly (GraphTensor | undefined)[]): readonly GraphTensor[] {
  return [ops.mul(ops.expandDims(g!, 1), node.outputs[1])];
}

/** Inputs and results in the order of TensorFlow: Hochreiter & Schmidhuber 1997, without peepholes. */
function blockLstm(
  { inputs, outputs }: GraphNode,
  [, ofStates, , , , , ofOutputs]: readonly (GraphTensor | undefined)[],
): readonly (GraphTensor | undefined)[] {
  const [length, x, state, output, weights, ...peepholes] = inputs;
  const bias = peepholes.pop()!;
  const orZeros = (gradient: GraphTensor | undefined, of: GraphTensor) => gradient ?? ops.zerosLike(of);
  const node = x.graph.add({
    op: 'BlockLSTMGradV2',
    inputs: [
      ...[length, x, state, output, weights, ...peepholes, bias, ...outputs],
      orZeros(ofStates, outputs[1]),
      orZeros(ofOutputs, outputs[6]),
    ],
    attributes: { T: { type: 'float32' }, use_peephole: { bool: false } },
    results: [x, state, output, weights, ...peepholes, bias],
  });
  const [ofX, ofState, ofOutput, ofWeights] = node.outputs;
  return [undefined, ofX, ofState, ofOutput, ofWeights, undefined, undefined, undefined, node.outputs.at(-1)];
}
