import type { OptimizerSpec } from '../../model/model.js';
import { learningRateOf, momentumOf } from '../../model/optimizer.js';
import { adagradStart, beta1, beta2, epsilon, nesterovSchedule, rho } from '../optimizer-constants.js';
import type { GraphNode, GraphTensor } from './graph.js';
import * as ops from './operations.js';

/** What one weight is updated from. */
interface Update {
  /** Handles of the weight and of what the optimizer keeps for it. */
  readonly weight: GraphTensor;
  readonly slots: readonly GraphTensor[];
  readonly gradient: GraphTensor;
  readonly learningRate: GraphTensor;
  /** What `scalars` gave for this step. */
  readonly scalars: readonly GraphTensor[];
  /** What must have used the weight before it changes. */
  readonly controls: readonly GraphNode[];
}

/**
 * An optimizer as operations of TensorFlow that change variables where they stand, with the constants and the form of
 * Keras; the equations are those of optimizers.ts beside this folder.
 */
export interface UpdateRule {
  /** What each slot of a weight holds at the start. */
  readonly slots: readonly number[];
  readonly learningRate: number;
  /** What depends on nothing but the number of the step, from 1 on; computed in double precision. */
  scalars(step: number): readonly number[];
  /** Adds the update. */
  apply(update: Update): readonly GraphNode[];
}

const none = () => [];

/** The rule of an optimizer. */
export function updateRule(spec: OptimizerSpec): UpdateRule {
  const [learningRate, momentum] = [learningRateOf(spec), momentumOf(spec)];
  switch (spec.name) {
    case 'sgd':
      return {
        ...{ slots: [], learningRate, scalars: none },
        apply: native('ResourceApplyGradientDescent', ({ learningRate: eta, gradient }) => [eta, gradient]),
      };
    case 'momentum':
      return {
        ...{ slots: [0], learningRate, scalars: none },
        apply: native(
          'ResourceApplyKerasMomentum',
          ({ learningRate: eta, gradient }) => [eta, gradient, momentum],
          {
            use_nesterov: { bool: spec.nesterov ?? false },
          },
        ),
      };
    case 'adagrad':
      return {
        // TensorFlow adds its epsilon to the root and Keras below it, which is the same as in the sum from the start.
        ...{ slots: [adagradStart + epsilon], learningRate, scalars: none },
        apply: native('ResourceApplyAdagradV2', ({ learningRate: eta, gradient }) => [eta, 0, gradient], {
          update_slots: { bool: true },
        }),
      };
    case 'rmsprop':
      return {
        ...{ slots: [0, 0], learningRate, scalars: none },
        apply: native('ResourceApplyRMSProp', ({ learningRate: eta, gradient }) => [
          ...[eta, rho.rmsprop, momentum, epsilon],
          gradient,
        ]),
      };
    case 'adam':
      return {
        ...{ slots: [0, 0], learningRate, scalars: (step) => [beta1 ** step, beta2 ** step] },
        apply: native(
          'ResourceApplyAdam',
          ({ learningRate: eta, gradient, scalars }) => [...scalars, eta, beta1, beta2, epsilon, gradient],
          { use_nesterov: { bool: false } },
        ),
      };
    case 'adamax':
      return {
        ...{ slots: [0, 0], learningRate, scalars: (step) => [beta1 ** step] },
        apply: native('ResourceApplyAdaMax', ({ learningRate: eta, gradient, scalars }) => [
          ...[...scalars, eta, beta1, beta2, epsilon],
          gradient,
        ]),
      };
    case 'adadelta':
      return {
        ...{ slots: [0, 0], learningRate, scalars: none },
        apply: native('ResourceApplyAdadelta', ({ learningRate: eta, gradient }) => [
          eta,
          rho.adadelta,
          epsilon,
          gradient,
        ]),
      };
    case 'nadam':
      return { slots: [0, 0], learningRate, scalars: nesterovSchedule(), apply: applyNadam };
  }
}

/** One operation of TensorFlow: handle, slots, and what `rest` names. */
function native(
  op: string,
  rest: (update: Update) => readonly ops.Operand[],
  attributes: GraphNode['attributes'] = {},
): UpdateRule['apply'] {
  return (update) => {
    const { weight, slots, controls } = update;
    const operands = rest(update).map((each) =>
      typeof each === 'number' ? weight.graph.number(each) : each,
    );
    const node = weight.graph.add({
      op,
      inputs: [weight, ...slots, ...operands],
      attributes: { T: { type: 'float32' }, use_locking: { bool: false }, ...attributes },
      results: [],
      controls,
    });
    return [node];
  };
}

function applyNadam(update: Update): readonly GraphNode[] {
  const { weight, slots, gradient, learningRate, scalars, controls } = update;
  const [ofMomentum, ofGradient, ofSquares] = scalars;
  const [oldMomentum, oldSquares] = slots.map((slot) => ops.readVariable(slot, gradient.shape));
  const momentum = ops.add(oldMomentum, ops.mul(ops.sub(gradient, oldMomentum), 1 - beta1));
  const squares = ops.add(oldSquares, ops.mul(ops.sub(ops.square(gradient), oldSquares), 1 - beta2));
  const direction = ops.add(ops.mul(momentum, ofMomentum), ops.mul(gradient, ofGradient));
  const size = ops.add(ops.sqrt(ops.mul(squares, ofSquares)), epsilon);
  const change = ops.div(ops.mul(direction, learningRate), size);
  const assign = (op: string, handle: GraphTensor, value: GraphTensor) =>
    weight.graph.add({
      ...{ op, inputs: [handle, value], attributes: { dtype: { type: 'float32' } }, results: [] },
      controls: [...controls, change.node],
    });
  return [
    assign('AssignVariableOp', slots[0], momentum),
    assign('AssignVariableOp', slots[1], squares),
    assign('AssignSubVariableOp', weight, change),
  ];
}
