import type * as core from '@tensorflow/tfjs-core';
import type { OptimizerSpec, OptimizerState } from '../model/model.js';
import { learningRateOf, momentumOf } from '../model/optimizer.js';
import type { Tf } from './backend.js';
import {
  adagradStart,
  beta1,
  beta2,
  checkStateLength,
  epsilon,
  nesterovSchedule,
  rho,
} from './optimizer-constants.js';

/**
 * Update rules with the constants and the form of Keras. `g` is the gradient, `eta` the learning rate, `t` the number
 * of the step from 1; every rule gives the change that is subtracted from the weight, and its new slots.
 *
 *   sgd       eta g
 *   momentum  v = mu v + eta g;  v;  with Nesterov's look ahead mu v + eta g        (Sutskever 2013)
 *   adagrad   a = a + g^2;  eta g / sqrt(a + eps)                                   a starts at 0.1   (Duchi 2011)
 *   rmsprop   a = rho a + (1 - rho) g^2;  v = mu v + eta g / sqrt(a + eps);  v      rho 0.9           (Hinton 2012)
 *   adam      m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;
 *             eta sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps)                   (Kingma & Ba 2015, end of section 2)
 *   adamax    m as adam;  u = max(b2 u, |g|);  eta / (1 - b1^t) m / (u + eps)       (the same, section 7.1)
 *   adadelta  a = rho a + (1 - rho) g^2;  d = sqrt(s + eps) / sqrt(a + eps) g;
 *             s = rho s + (1 - rho) d^2;  eta d                                     rho 0.95          (Zeiler 2012)
 *   nadam     m, v as adam;  mu_t = b1 (1 - 0.96^t / 2);  M_t = mu_1 ... mu_t;  eta d / (sqrt(v / (1 - b2^t)) + eps)
 *             d = mu_(t+1) m / (1 - M_(t+1)) + (1 - mu_t) g / (1 - M_t)                               (Dozat 2016)
 *
 * TensorFlow.js has optimizers of its own; its adadelta divides by the accumulator of the step before, its adam uses
 * another epsilon, and their state cannot be reached in one piece.
 */
interface UpdateRule {
  /** What each slot of a weight holds at the start. */
  readonly slots: readonly number[];
  step(
    g: core.Tensor,
    slots: readonly core.Tensor[],
    t: number,
    eta: number,
  ): { change: core.Tensor; slots: core.Tensor[] };
}

function updateRule(tf: Tf, spec: OptimizerSpec): UpdateRule {
  const mu = momentumOf(spec);
  /** decay * average + (1 - decay) * value */
  const average = (old: core.Tensor, value: core.Tensor, decay: number) =>
    tf.add(tf.mul(old, decay), tf.mul(value, 1 - decay));
  const rootOf = (squares: core.Tensor) => tf.sqrt(tf.add(squares, epsilon));
  switch (spec.name) {
    case 'sgd':
      return { slots: [], step: (g, _slots, _t, eta) => ({ change: tf.mul(g, eta), slots: [] }) };
    case 'momentum':
      return {
        slots: [0],
        step(g, [velocity], _t, eta) {
          const v = tf.add(tf.mul(velocity, mu), tf.mul(g, eta));
          const ahead = spec.nesterov === true ? tf.add(tf.mul(v, mu), tf.mul(g, eta)) : v;
          return { change: ahead, slots: [v] };
        },
      };
    case 'adagrad':
      return {
        slots: [adagradStart],
        step(g, [accumulator], _t, eta) {
          const a = tf.add(accumulator, tf.square(g));
          return { change: tf.div(tf.mul(g, eta), rootOf(a)), slots: [a] };
        },
      };
    case 'rmsprop':
      return {
        slots: mu === 0 ? [0] : [0, 0],
        step(g, [squares, velocity], _t, eta) {
          const a = average(squares, tf.square(g), rho.rmsprop);
          const scaled = tf.div(tf.mul(g, eta), rootOf(a));
          if (mu === 0) return { change: scaled, slots: [a] };
          const v = tf.add(tf.mul(velocity, mu), scaled);
          return { change: v, slots: [a, v] };
        },
      };
    case 'adam':
      return {
        slots: [0, 0],
        step(g, [first, second], t, eta) {
          const m = average(first, g, beta1);
          const v = average(second, tf.square(g), beta2);
          const alpha = (eta * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
          return { change: tf.div(tf.mul(m, alpha), tf.add(tf.sqrt(v), epsilon)), slots: [m, v] };
        },
      };
    case 'adamax':
      return {
        slots: [0, 0],
        step(g, [first, norm], t, eta) {
          const m = average(first, g, beta1);
          const u = tf.maximum(tf.mul(norm, beta2), tf.abs(g));
          return { change: tf.div(tf.mul(m, eta / (1 - beta1 ** t)), tf.add(u, epsilon)), slots: [m, u] };
        },
      };
    case 'adadelta':
      return {
        slots: [0, 0],
        step(g, [squares, updates], _t, eta) {
          const a = average(squares, tf.square(g), rho.adadelta);
          const d = tf.mul(tf.div(rootOf(updates), rootOf(a)), g);
          return { change: tf.mul(d, eta), slots: [a, average(updates, tf.square(d), rho.adadelta)] };
        },
      };
    case 'nadam': {
      const scalars = nesterovSchedule();
      return {
        slots: [0, 0],
        step(g, [first, second], t, eta) {
          const [ofMomentum, ofGradient, ofSquares] = scalars(t);
          const m = average(first, g, beta1);
          const v = average(second, tf.square(g), beta2);
          const d = tf.add(tf.mul(m, ofMomentum), tf.mul(g, ofGradient));
          const size = tf.add(tf.sqrt(tf.mul(v, ofSquares)), epsilon);
          return { change: tf.div(tf.mul(d, eta), size), slots: [m, v] };
        },
      };
    }
  }
}

/** An optimizer over fixed variables; it keeps one tensor per variable and slot until it is disposed of. */
export class Optimizer {
  readonly #tf: Tf;
  readonly #rule: UpdateRule;
  readonly #spec: OptimizerSpec;
  readonly #variables: readonly core.Variable[];
  #slots: core.Tensor[][];
  #numSteps = 0;

  constructor(tf: Tf, spec: OptimizerSpec, variables: readonly core.Variable[]) {
    this.#tf = tf;
    this.#spec = spec;
    this.#rule = updateRule(tf, spec);
    this.#variables = variables;
    this.#slots = variables.map(({ shape }) =>
      this.#rule.slots.map((value) => tf.keep(tf.fill(shape, value))),
    );
  }

  /** Applies one step. @param gradients by the name of the variable; a variable without one stays as it is */
  step(gradients: core.NamedTensorMap, learningRate = learningRateOf(this.#spec)): void {
    this.#numSteps++;
    const clipped = this.#clipped(gradients);
    for (const [index, variable] of this.#variables.entries()) {
      const gradient = clipped[variable.name];
      if (gradient === undefined) continue;
      const old = this.#slots[index];
      this.#tf.tidy(() => {
        const { change, slots } = this.#rule.step(gradient, old, this.#numSteps, learningRate);
        variable.assign(this.#tf.sub(variable, change));
        this.#slots[index] = slots.map((slot) => this.#tf.keep(slot));
      });
      this.#tf.dispose(old);
    }
  }

  get numSteps(): number {
    return this.#numSteps;
  }

  get state(): OptimizerState {
    const parts = this.#slots.flat().map((slot) => slot.dataSync() as Float32Array);
    const values = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let place = 0;
    for (const part of parts) {
      values.set(part, place);
      place += part.length;
    }
    return { numSteps: this.#numSteps, values };
  }

  /** Throws MILLRACE_MODEL_INVALID when the state is not as long as that of this optimizer. */
  set state({ numSteps, values }: OptimizerState) {
    checkStateLength(
      values,
      this.#slots.flat().reduce((sum, { size }) => sum + size, 0),
    );
    let place = 0;
    const slots = this.#slots.map((ofWeight) =>
      ofWeight.map(({ shape, size }) =>
        this.#tf.keep(this.#tf.tensor(values.slice(place, (place += size)), shape)),
      ),
    );
    this.#tf.dispose(this.#slots);
    this.#slots = slots;
    this.#numSteps = numSteps;
  }

  dispose(): void {
    this.#tf.dispose(this.#slots);
    this.#slots = [];
  }

  /** Gradients that are cut to the limits of the specification. */
  #clipped(gradients: core.NamedTensorMap): core.NamedTensorMap {
    const { clipValue, clipNorm, globalClipNorm } = this.#spec;
    const tf = this.#tf;
    const each = (map: core.NamedTensorMap, change: (gradient: core.Tensor) => core.Tensor) =>
      Object.fromEntries(Object.entries(map).map(([name, gradient]) => [name, change(gradient)]));
    const squares = (gradient: core.Tensor) => tf.sum(tf.square(gradient));
    const shorten = (gradient: core.Tensor, squared: core.Tensor, limit: number) =>
      tf.mul(gradient, tf.div(limit, tf.maximum(tf.sqrt(squared), limit)));
    let result = gradients;
    if (clipValue !== undefined) {
      result = each(result, (gradient) => tf.clipByValue(gradient, -clipValue, clipValue));
    }
    if (clipNorm !== undefined)
      result = each(result, (gradient) => shorten(gradient, squares(gradient), clipNorm));
    if (globalClipNorm !== undefined) {
      const all = tf.addN(Object.values(result).map(squares));
      result = each(result, (gradient) => shorten(gradient, all, globalClipNorm));
    }
    return result;
  }
}
