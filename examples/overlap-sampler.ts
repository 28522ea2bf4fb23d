import { parentPort } from 'node:worker_threads';
import { createDraw } from './draw.js';

// The thread that samples: told a number of candidates, it answers with a minibatch that is drawn from so many.

export const [numFeatures, minibatchSize] = [30, 32];

export interface SampledMinibatch {
  /** Row-major, minibatchSize x numFeatures. */
  readonly features: Float32Array;
  /** The class of each row. */
  readonly targets: Float32Array;
}

interface Row {
  readonly features: readonly number[];
  readonly label: number;
  readonly weight: number;
}

/** Rows in JSON, and what is drawn from them. */
class Sampler {
  readonly #draw = createDraw(1);
  readonly #rows = Array.from({ length: 2_000 }, () => {
    const features = Array.from({ length: numFeatures }, () => this.#unit() - 0.5);
    return JSON.stringify({ features, label: this.#draw(2), weight: this.#unit() });
  });

  /**
   * A minibatch that is drawn by weights without replacement: the candidates with the largest u^(1/weight), for u uniform
   * in (0, 1] (Efraimidis & Spirakis 2006, "Weighted random sampling with a reservoir").
   */
  sample(numCandidates: number): SampledMinibatch {
    const candidates = Array.from({ length: numCandidates }, () => {
      const row = JSON.parse(this.#rows[this.#draw(this.#rows.length)]) as Row;
      return { row, key: Math.log(this.#unit()) / row.weight };
    });
    const chosen = candidates.sort((one, other) => other.key - one.key).slice(0, minibatchSize);
    return {
      features: Float32Array.from(chosen.flatMap(({ row }) => row.features)),
      targets: Float32Array.from(chosen, ({ row }) => row.label),
    };
  }

  #unit(): number {
    return (this.#draw(2 ** 30) + 1) / 2 ** 30;
  }
}

if (parentPort !== null) {
  const [port, sampler] = [parentPort, new Sampler()];
  port.on('message', (numCandidates: number) => port.postMessage(sampler.sample(numCandidates)));
}
