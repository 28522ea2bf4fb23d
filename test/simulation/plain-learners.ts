import { Random } from '../../src/simulation/random.js';

/** A row and whether it is signal. */
export interface Sample {
  readonly features: readonly number[];
  readonly isSignal: boolean;
}
/** Positive for signal. */
export type Score = (features: readonly number[]) => number;

/** Both sets with mean 0 and deviation 1 of the first one. */
export function standardize(train: readonly Sample[], test: readonly Sample[]): [Sample[], Sample[]] {
  const columns = train[0].features.map((_, i) => {
    const mean = train.reduce((sum, { features }) => sum + features[i], 0) / train.length;
    const variance = train.reduce((sum, { features }) => sum + (features[i] - mean) ** 2, 0) / train.length;
    return { mean, deviation: Math.sqrt(variance) || 1 };
  });
  const scale = ({ features, isSignal }: Sample) => ({
    features: features.map((value, i) => (value - columns[i].mean) / columns[i].deviation),
    isSignal,
  });
  return [train.map(scale), test.map(scale)];
}

export function accuracy(score: Score, samples: readonly Sample[]): number {
  const right = samples.filter(({ features, isSignal }) => score(features) > 0 === isSignal);
  return right.length / samples.length;
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

/** Logistic regression by stochastic gradient descent with a falling rate. */
export function fitLogistic(samples: readonly Sample[], sweeps = 10): Score {
  const weights = new Float64Array(samples[0].features.length);
  let bias = 0;
  const score: Score = (features) => features.reduce((sum, value, i) => sum + weights[i] * value, bias);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const rate = 0.02 / (1 + sweep);
    for (const { features, isSignal } of samples) {
      const error = Number(isSignal) - sigmoid(score(features));
      for (let i = 0; i < weights.length; i++) weights[i] += rate * error * features[i];
      bias += rate * error;
    }
  }
  return score;
}

/** One hidden layer of tanh units, by stochastic gradient descent with a falling rate. */
export function fitPerceptron(samples: readonly Sample[], numHidden: number, sweeps: number): Score {
  const numInputs = samples[0].features.length;
  const random = new Random(3);
  const inner = Float64Array.from({ length: numHidden * numInputs }, () =>
    random.normal(0, 1 / Math.sqrt(numInputs)),
  );
  const innerBias = new Float64Array(numHidden);
  const outer = Float64Array.from({ length: numHidden }, () => random.normal(0, 1 / Math.sqrt(numHidden)));
  let outerBias = 0;
  const hidden = new Float64Array(numHidden);
  const score: Score = (features) => {
    let sum = outerBias;
    for (let h = 0; h < numHidden; h++) {
      let z = innerBias[h];
      for (let i = 0; i < numInputs; i++) z += inner[h * numInputs + i] * features[i];
      hidden[h] = Math.tanh(z);
      sum += outer[h] * hidden[h];
    }
    return sum;
  };
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const rate = 0.05 / (1 + sweep / 3);
    for (const { features, isSignal } of samples) {
      const error = rate * (Number(isSignal) - sigmoid(score(features)));
      for (let h = 0; h < numHidden; h++) {
        const inwards = error * outer[h] * (1 - hidden[h] * hidden[h]);
        outer[h] += error * hidden[h];
        for (let i = 0; i < numInputs; i++) inner[h * numInputs + i] += inwards * features[i];
        innerBias[h] += inwards;
      }
      outerBias += error;
    }
  }
  return score;
}
