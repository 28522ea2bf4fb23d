import type * as layers from '@tensorflow/tfjs-layers';
import { joinArrays } from '../../features/join-arrays.js';
import { lossTerms } from '../../model/loss.js';
import type { TrainingOptions } from '../../model/model.js';
import { sizeOf } from '../../model/shape.js';
import { Graph, type GraphNode, type GraphTensor } from './graph.js';
import { gradientsOf } from './gradients.js';
import { addLayer, NoRule, type LayerContext } from './layers.js';
import { rowHits, rowLosses } from './losses.js';
import * as ops from './operations.js';
import { updateRule, type UpdateRule } from './optimizers.js';
import { savedModelBytes, type GraphMessages, type Signature } from './saved-model.js';

/**
 * What a run computes, from what to what; all but the first three are only in a graph for training.
 *
 *   predict        features (rows x features) to outputs (rows x outputs), in inference
 *   weights        to vector: all weights, one behind the other
 *   assignWeights  vector: gives every weight its value
 *   state          to vector: what the optimizer keeps
 *   assignState    vector
 *   train          learns minibatch after minibatch: features, targets, rowWeights (one per row), schedule (a row per
 *                  minibatch: learning rate, and what the rule of the optimizer computes per step), firstStep and
 *                  minibatchSize to losses and seconds since the start, one per minibatch
 *   gradient       features, targets, rowWeights, step to loss and gradient, in the order of the weights
 *   evaluate       features, targets to the sums over the rows of each loss and of its hits (losses, hits), in inference,
 *                  and the penalties of the weights
 *
 * The last two are only in a graph that was asked for them.
 */
export type SignatureName =
  'predict' | 'weights' | 'assignWeights' | 'state' | 'assignState' | 'train' | ExtraSignature;
export type ExtraSignature = 'gradient' | 'evaluate';

/** A network as a graph that TensorFlow loads. */
export interface NetworkGraph {
  /** `saved_model.pb` */
  readonly bytes: Uint8Array;
  readonly signatures: ReadonlyMap<string, Signature>;
  readonly weights: readonly layers.LayerVariable[];
  /** What the optimizer keeps at the start; undefined without training. */
  readonly initialState: Float32Array | undefined;
  readonly rule: UpdateRule | undefined;
}

/**
 * Compiles a network: its inference and, with options, its training. Throws NoRule with the reason when some part of it
 * has no rule.
 *
 * @param seed of what is drawn in each step
 */
export function compileNetwork(
  messages: GraphMessages,
  model: layers.LayersModel,
  training?: {
    readonly options: TrainingOptions;
    readonly seed: number;
    readonly extra: Iterable<ExtraSignature>;
  },
): NetworkGraph {
  if (model.weights.length === 0) throw new NoRule('it has no weights');
  const compiler = new NetworkCompiler(model);
  compiler.addPredict();
  compiler.addWeights();
  const rule = training && updateRule(training.options.optimizer);
  const initialState = training && compiler.addTraining(training.options, rule!, training.seed);
  for (const name of training?.extra ?? []) compiler.addExtra(name, training!.options, training!.seed);
  const { graph, signatures, weights } = compiler;
  return {
    bytes: savedModelBytes(messages, graph.definitions(), signatures),
    ...{ signatures, weights, initialState, rule },
  };
}

/** What a step learns from. */
type Batch = Readonly<Record<'features' | 'targets' | 'rowWeights', GraphTensor>>;

const scalarType = { dtype: 'float32', shape: [] } as const;
/** Seconds since 1970, when it ran. */
const timeStamp = { dtype: 'float64', shape: [] } as const;

/** The values of a network in one run of it. */
interface Evaluation {
  /** Of each output, rows x its size. */
  readonly outputs: readonly GraphTensor[];
  /** The value of each weight that the run reads. */
  readonly reads: ReadonlyMap<layers.LayerVariable, GraphTensor>;
  /** What weights that are not learnt become. */
  readonly updates: ReadonlyMap<layers.LayerVariable, GraphTensor>;
}

class NetworkCompiler {
  readonly graph = new Graph();
  readonly signatures = new Map<string, Signature>();
  readonly weights: readonly layers.LayerVariable[];
  readonly #model: layers.LayersModel;
  readonly #handles: ReadonlyMap<layers.LayerVariable, GraphTensor>;
  readonly #numFeatures: number;

  constructor(model: layers.LayersModel) {
    this.#model = model;
    this.weights = model.weights;
    this.#handles = new Map(model.weights.map((weight) => [weight, this.graph.variable(shapeOf(weight))]));
    this.#numFeatures = model.inputs.reduce((all, input) => all + rowSize(input), 0);
  }

  addPredict(): void {
    const features = this.#features();
    const { outputs } = this.#evaluate(features);
    this.#sign('predict', { features }, { outputs: ops.concat(outputs, 1) });
  }

  addWeights(): void {
    this.#addVector('weights', 'assignWeights', [...this.#handles.values()]);
  }

  /** @returns what the optimizer keeps at the start */
  addTraining(options: TrainingOptions, rule: UpdateRule, seed: number): Float32Array {
    const learnt = this.#model.trainableWeights;
    const slots = new Map(
      learnt.map((weight) => [weight, rule.slots.map(() => this.graph.variable(shapeOf(weight)))]),
    );
    const all = [...slots.values()].flat();
    if (all.length > 0) this.#addVector('state', 'assignState', all);
    this.#addTrain(options, rule, seed, slots);
    return joinArrays(
      Float32Array,
      learnt.flatMap((weight) => rule.slots.map((start) => new Float32Array(lengthOf(weight)).fill(start))),
    );
  }

  addExtra(name: ExtraSignature, options: TrainingOptions, seed: number): void {
    if (name === 'gradient') this.#addGradient(options, seed);
    else this.#addEvaluate(options);
  }

  #addTrain(
    options: TrainingOptions,
    rule: UpdateRule,
    seed: number,
    slots: ReadonlyMap<layers.LayerVariable, readonly GraphTensor[]>,
  ): void {
    const { graph } = this;
    const batch = this.#batch(options);
    const scalar = { dtype: 'int32', shape: [] } as const;
    const [firstStep, minibatchSize] = [graph.placeholder(scalar), graph.placeholder(scalar)];
    const schedule = graph.placeholder({ dtype: 'float32', shape: [-1, 1 + rule.scalars(1).length] });
    const numRows = ops.sizeAlong(batch.features, 0);
    const startedAt = graph.addOne('Timestamp', [], {}, timeStamp);
    const [losses, seconds] = graph.repeat(ops.sizeAlong(schedule, 0), [scalarType, scalarType], (index) => {
      const start = ops.mul(index, minibatchSize);
      const count = ops.minimum(minibatchSize, ops.sub(numRows, start));
      const rowsOf = (matrix: GraphTensor) => {
        const begin = [start, ...matrix.shape.slice(1).map(() => graph.number(0, 'int32'))];
        const size = [count, ...matrix.shape.slice(1).map((each) => graph.number(each, 'int32'))];
        return ops.sliceAt(matrix, ops.pack(begin), ops.pack(size), matrix.shape);
      };
      const rows = mapValues(batch, rowsOf);
      const numbers = ops.gather(schedule, index);
      const [learningRate, ...scalars] = Array.from({ length: schedule.shape[1] }, (_, column) =>
        ops.gather(numbers, graph.number(column, 'int32')),
      );
      const step = this.#lossOf(rows, options, stepSeed(seed, ops.add(firstStep, index)));
      const learnt = this.#model.trainableWeights.filter((weight) => step.reads.has(weight));
      const gradients = clipped(
        gradientsOf(
          step.starts,
          learnt.map((weight) => step.reads.get(weight)!),
        ),
        options,
      );
      const needed = ancestors([step.loss, ...gradients.filter((each) => each !== undefined)]);
      const done = learnt.flatMap((weight, i) => {
        const gradient = gradients[i];
        if (gradient === undefined) return [];
        const read = step.reads.get(weight)!;
        // A variable that is still being read would be copied before it is changed.
        const controls = [...needed].filter(({ inputs }) => inputs.includes(read));
        const update = { weight: this.#handles.get(weight)!, slots: slots.get(weight)! };
        return rule.apply({ ...update, gradient, learningRate, scalars, controls });
      });
      for (const [weight, value] of step.updates) done.push(this.#assign(this.#handles.get(weight)!, value));
      const finishedAt = graph.addOne('Timestamp', [], {}, timeStamp, done);
      return [step.loss, ops.cast(ops.sub(finishedAt, startedAt), 'float32')];
    });
    this.#sign('train', { ...batch, schedule, firstStep, minibatchSize }, { losses, seconds });
  }

  #addGradient(options: TrainingOptions, seed: number): void {
    const batch = this.#batch(options);
    const step = this.graph.placeholder({ dtype: 'int32', shape: [] });
    const { loss, starts, reads } = this.#lossOf(batch, options, stepSeed(seed, step));
    const read = [...reads].filter(([weight]) => this.#model.trainableWeights.includes(weight));
    const gradients = gradientsOf(
      starts,
      read.map(([, tensor]) => tensor),
    );
    const byWeight = new Map(read.map(([weight], i) => [weight, gradients[i]]));
    const parts = this.weights.map((weight) => {
      const gradient = byWeight.get(weight);
      return gradient === undefined
        ? zeros(this.graph, lengthOf(weight))
        : ops.reshape(gradient, [lengthOf(weight)]);
    });
    this.#sign('gradient', { ...batch, step }, { loss, gradient: ops.concat(parts, 0) });
  }

  #addEvaluate(options: TrainingOptions): void {
    const features = this.#features();
    const targets = this.#targets(options);
    const { outputs, reads } = this.#evaluate(features);
    const terms = this.#terms(options, targets, outputs);
    const total = (x: GraphTensor) => ops.sum(x, ops.allAxes(x));
    const losses = ops.pack(terms.map((term) => total(rowLosses(term.loss, term.targets, term.outputs))));
    const hits = ops.pack(terms.map((term) => total(rowHits(term.targets, term.outputs))));
    const penalties = sumOf(this.graph, this.#penalties(reads));
    this.#sign('evaluate', { features, targets }, { losses, hits, penalties });
  }

  #batch(options: TrainingOptions): Batch {
    const rowWeights = this.graph.placeholder({ dtype: 'float32', shape: [-1] });
    return { features: this.#features(), targets: this.#targets(options), rowWeights };
  }

  #targets({ loss }: TrainingOptions): GraphTensor {
    const terms = lossTerms(loss, this.#model.outputs.map(rowSize));
    const numTargets = terms.reduce((all, term) => all + term.numTargets, 0);
    return this.graph.placeholder({ dtype: 'float32', shape: [-1, numTargets] });
  }

  #features(): GraphTensor {
    return this.graph.placeholder({ dtype: 'float32', shape: [-1, this.#numFeatures] });
  }

  /**
   * The mean over the rows, each by its weight, of the sum of the losses, and the penalties of the weights. `starts`: what
   * it is computed from at last, and how fast it grows with that; from there backwards a step has fewer operations.
   */
  #lossOf(
    { features, targets, rowWeights }: Batch,
    options: TrainingOptions,
    seedOfStep: GraphTensor,
  ): Evaluation & { readonly loss: GraphTensor; readonly starts: ReadonlyMap<GraphTensor, GraphTensor> } {
    const evaluation = this.#evaluate(features, seedOfStep);
    const numRows = ops.cast(ops.sizeAlong(rowWeights, 0), 'float32');
    const shares = ops.div(rowWeights, numRows);
    const starts = new Map<GraphTensor, GraphTensor>();
    const sums = this.#terms(options, targets, evaluation.outputs).map((term) => {
      const losses = rowLosses(term.loss, term.targets, term.outputs);
      const weights = term.weight === 1 ? shares : ops.mul(shares, term.weight);
      starts.set(losses, weights);
      return ops.sum(ops.mul(losses, weights), [0]);
    });
    const penalties = this.#penalties(evaluation.reads);
    for (const each of penalties) starts.set(each, this.graph.number(1));
    return { ...evaluation, loss: sumOf(this.graph, [...sums, ...penalties]), starts };
  }

  /** Each loss with what it compares. */
  #terms({ loss }: TrainingOptions, targets: GraphTensor, outputs: readonly GraphTensor[]) {
    const terms = lossTerms(loss, this.#model.outputs.map(rowSize));
    const ofTerms = ops.splitColumns(
      targets,
      terms.map(({ numTargets }) => numTargets),
    );
    // One loss may also be that of several outputs together.
    const parts = terms.length === outputs.length ? outputs : [ops.concat(outputs, 1)];
    return terms.map((term, i) => ({ ...term, targets: ofTerms[i], outputs: parts[i] }));
  }

  #penalties(reads: Evaluation['reads']): GraphTensor[] {
    return [...reads].flatMap(([weight, value]) => penalty(this.#model, weight, value));
  }

  /** @param seedOfStep in training */
  #evaluate(features: GraphTensor, seedOfStep?: GraphTensor): Evaluation {
    const { inputs, outputs } = this.#model;
    const parts = ops.splitColumns(features, inputs.map(rowSize));
    const known = new Map<layers.SymbolicTensor, GraphTensor>(
      inputs.map((input, i) => [input, ops.reshape(parts[i], [-1, ...rowShape(input)])]),
    );
    const reads = new Map<layers.LayerVariable, GraphTensor>();
    const updates = new Map<layers.LayerVariable, GraphTensor>();
    let numSeeds = 0;
    const context: LayerContext = {
      isTraining: seedOfStep !== undefined,
      weight: (variable) => {
        const value =
          reads.get(variable) ?? ops.readVariable(this.#handles.get(variable)!, shapeOf(variable));
        reads.set(variable, value);
        return value;
      },
      update: (variable, value) => updates.set(variable, value),
      masks: new Map(),
      seed: () => ops.add(seedOfStep!, features.graph.integers([numSeeds++, 0])),
    };
    const valueOf = (tensor: layers.SymbolicTensor): GraphTensor => {
      let value = known.get(tensor);
      if (value === undefined) {
        const { sourceLayer } = tensor;
        if ((tensor.outputTensorIndex ?? 0) > 0) throw new NoRule(`${sourceLayer.name} has several results`);
        known.set(tensor, (value = addLayer(sourceLayer, tensor.inputs.map(valueOf), context)));
      }
      return value;
    };
    const results = outputs.map((output) => ops.reshape(valueOf(output), [-1, rowSize(output)]));
    return { outputs: results, reads, updates };
  }

  /** Variables as one vector, out and in. */
  #addVector(name: SignatureName, assignName: SignatureName, handles: readonly GraphTensor[]): void {
    const sizes = handles.map(({ shape }) => sizeOf(shape));
    const parts = handles.map((handle, i) => ops.reshape(ops.readVariable(handle, handle.shape), [sizes[i]]));
    this.#sign(name, {}, { vector: ops.identity(ops.concat(parts, 0)) });

    const length = sizes.reduce((all, size) => all + size, 0);
    const vector = this.graph.placeholder({ dtype: 'float32', shape: [length] });
    let start = 0;
    const assigns = handles.map((handle, i) => {
      const part = ops.slice(vector, [start], [sizes[i]]);
      start += sizes[i];
      return this.#assign(handle, ops.reshape(part, handle.shape));
    });
    const done = this.graph.addOne(
      'Identity',
      [this.graph.number(0)],
      { T: { type: 'float32' } },
      scalarType,
      assigns,
    );
    this.#sign(assignName, { vector }, { done });
  }

  #assign(handle: GraphTensor, value: GraphTensor): GraphNode {
    const attributes = { dtype: { type: 'float32' } } as const;
    return this.graph.add({ op: 'AssignVariableOp', inputs: [handle, value], attributes, results: [] });
  }

  #sign(
    name: SignatureName,
    inputs: Readonly<Record<string, GraphTensor>>,
    outputs: Readonly<Record<string, GraphTensor>>,
  ): void {
    const references = (tensors: Readonly<Record<string, GraphTensor>>) =>
      mapValues(tensors, ({ reference }) => reference);
    this.signatures.set(name, { inputs: references(inputs), outputs: references(outputs) });
  }
}

/** Two int32 for each step: the first number is left to the layers. */
function stepSeed(seed: number, step: GraphTensor): GraphTensor {
  return ops.pack([step.graph.number(seed | 0, 'int32'), step]);
}

/** Gradients that are cut to the limits of the options: each number, each weight's norm, and the norm of them all. */
function clipped(
  gradients: readonly (GraphTensor | undefined)[],
  { optimizer: { clipValue, clipNorm, globalClipNorm } }: TrainingOptions,
): (GraphTensor | undefined)[] {
  const squares = (gradient: GraphTensor) => ops.sum(ops.square(gradient), ops.allAxes(gradient));
  /** What brings a norm down to its limit. */
  const factor = (squared: GraphTensor, limit: number) =>
    ops.div(limit, ops.maximum(ops.sqrt(squared), limit));
  let result = [...gradients];
  const change = (by: (gradient: GraphTensor) => GraphTensor) => {
    result = result.map((each) => each && by(each));
  };
  if (clipValue !== undefined) change((each) => ops.minimum(ops.maximum(each, -clipValue), clipValue));
  if (clipNorm !== undefined) change((each) => ops.mul(each, factor(squares(each), clipNorm)));
  const present = result.filter((each) => each !== undefined);
  if (globalClipNorm !== undefined && present.length > 0) {
    const all = present.map(squares).reduce((sum, each) => ops.add(sum, each));
    change((each) => ops.mul(each, factor(all, globalClipNorm)));
  }
  return result;
}

/** What the regularizer of a weight adds to the loss: l1 sum |w| + l2 sum w^2. */
function penalty(model: layers.LayersModel, weight: layers.LayerVariable, value: GraphTensor): GraphTensor[] {
  const layer = model.layers.find((each) => each.weights.includes(weight))!;
  const part = weight.originalName.split('/').at(-1)!.split('_')[0];
  const regularizer = layer.getConfig()[`${part}Regularizer`] as
    { readonly config: { readonly l1?: number; readonly l2?: number } } | null | undefined;
  const { l1 = 0, l2 = 0 } = regularizer?.config ?? {};
  const sumOf = (x: GraphTensor) => ops.sum(x, ops.allAxes(x));
  return [
    ...(l1 === 0 ? [] : [ops.mul(sumOf(ops.abs(value)), l1)]),
    ...(l2 === 0 ? [] : [ops.mul(sumOf(ops.square(value)), l2)]),
  ];
}

/** Every operation that is run when these tensors are asked for. */
function ancestors(tensors: readonly GraphTensor[]): Set<GraphNode> {
  const found = new Set<GraphNode>();
  const open = tensors.map(({ node }) => node);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    open.push(...node.inputs.map((input) => input.node), ...node.controls);
  }
  return found;
}

function zeros(graph: Graph, length: number): GraphTensor {
  return graph.constant({ dtype: 'float32', shape: [length], values: new Float32Array(length) });
}

function shapeOf({ shape }: layers.LayerVariable): number[] {
  return shape.map((size) => size!);
}

/** How many numbers a weight has. */
function lengthOf(variable: layers.LayerVariable): number {
  return sizeOf(shapeOf(variable));
}

/** @returns 0 for none */
function sumOf(graph: Graph, scalars: readonly GraphTensor[]): GraphTensor {
  return scalars.length === 0
    ? ops.identity(graph.number(0))
    : scalars.reduce((sum, each) => ops.add(sum, each));
}

/** The shape of one row of an input or output of a model. */
function rowShape({ shape, name }: layers.SymbolicTensor): number[] {
  return shape.slice(1).map((size) => {
    if (size === null) throw new NoRule(`the shape of ${name} is open`);
    return size;
  });
}

function rowSize(tensor: layers.SymbolicTensor): number {
  return sizeOf(rowShape(tensor));
}

function mapValues<K extends string, T, R>(
  record: Readonly<Record<K, T>>,
  map: (value: T) => R,
): Readonly<Record<K, R>> {
  return Object.fromEntries(Object.entries<T>(record).map(([key, value]) => [key, map(value)])) as Record<
    K,
    R
  >;
}
