import { MillraceError } from '../errors.js';

/** How the learning rate changes in the course of a run. */
export type LearningRateScheme =
  | { readonly name: 'constant' }
  /** Times `factor` after every so many sweeps. */
  | { readonly name: 'step'; readonly sweeps: number; readonly factor: number }
  /** Times `factor` in every sweep, a little in each step. */
  | { readonly name: 'exponential'; readonly factor: number }
  /** Along half a wave of the cosine, to 0 at the end of the run (Loshchilov & Hutter 2017, without restarts). */
  | { readonly name: 'cosine' }
  /** Times `factor` behind every sweep whose loss has moved by less than `threshold` since the one before. */
  | { readonly name: 'emperor'; readonly threshold: number; readonly factor: number };

/** What a learning rate remembers of the sweeps behind it. */
export interface LearningRateState {
  readonly scale: number;
  readonly lastLoss: number | null;
}

/** The learning rate of each step of a run. */
export class LearningRate {
  readonly #initial: number;
  readonly #scheme: LearningRateScheme;
  readonly #numSweeps: number;
  /** What losses have made of it. */
  #scale = 1;
  #lastLoss: number | undefined;

  /** Throws MILLRACE_CONFIG_INVALID when the scheme makes no sense. */
  constructor(initial: number, scheme: LearningRateScheme, numSweeps: number) {
    checkScheme(scheme, numSweeps);
    this.#initial = initial;
    this.#scheme = scheme;
    this.#numSweeps = numSweeps;
  }

  /** @param sweeps that lie behind the step; 1.5 is in the middle of the second */
  at(sweeps: number): number {
    return this.#initial * this.#scale * factorAt(this.#scheme, sweeps, this.#numSweeps);
  }

  /** @param loss of the sweep that has ended, of the validation rows where there are any */
  endSweep(loss: number): void {
    const scheme = this.#scheme;
    if (scheme.name === 'emperor' && this.#lastLoss !== undefined) {
      if (Math.abs(loss - this.#lastLoss) < scheme.threshold) this.#scale *= scheme.factor;
    }
    this.#lastLoss = loss;
  }

  get state(): LearningRateState {
    return { scale: this.#scale, lastLoss: this.#lastLoss ?? null };
  }

  set state({ scale, lastLoss }: LearningRateState) {
    this.#scale = scale;
    this.#lastLoss = lastLoss ?? undefined;
  }
}

function factorAt(scheme: LearningRateScheme, sweeps: number, numSweeps: number): number {
  switch (scheme.name) {
    case 'constant':
    case 'emperor':
      return 1;
    case 'step':
      return scheme.factor ** Math.floor(sweeps / scheme.sweeps);
    case 'exponential':
      return scheme.factor ** sweeps;
    case 'cosine':
      return (1 + Math.cos((Math.PI * Math.min(sweeps, numSweeps)) / numSweeps)) / 2;
  }
}

function checkScheme(scheme: LearningRateScheme, numSweeps: number): void {
  const invalid = (message: string) => new MillraceError('MILLRACE_CONFIG_INVALID', message);
  if ('factor' in scheme && !(scheme.factor > 0 && scheme.factor <= 1)) {
    throw invalid(`The factor of a learning rate must lie above 0 and be at most 1, not ${scheme.factor}.`);
  }
  if (scheme.name === 'step' && !(Number.isSafeInteger(scheme.sweeps) && scheme.sweeps >= 1)) {
    throw invalid(
      `A learning rate in steps falls after a whole number of sweeps from 1 on, not ${scheme.sweeps}.`,
    );
  }
  if (scheme.name === 'emperor' && !(scheme.threshold > 0)) {
    throw invalid(`The threshold of the loss must be above 0, not ${scheme.threshold}.`);
  }
  if (scheme.name === 'cosine' && !Number.isFinite(numSweeps)) {
    throw invalid('A learning rate along the cosine needs a number of sweeps.');
  }
}
