/** When a run is over before its last sweep. */
export interface EarlyStopOptions {
  /** The loss that is good enough. */
  readonly targetLoss?: number | undefined;
  /** Sweeps that may pass without a better loss than the best. */
  readonly patience?: number | undefined;
  /** By how much a loss must be lower to be better; 0 unless given. */
  readonly minImprovement?: number | undefined;
}

/** Why a run ended. */
export type EndReason = 'last-sweep' | 'target-loss' | 'no-improvement' | 'stopped';

/** What early stopping remembers of the sweeps behind it. */
export interface EarlyStopState {
  readonly best: number | null;
  readonly sweepsSinceBest: number;
}

/** Looks at the loss of each sweep, that of the validation rows where there are any. */
export class EarlyStop {
  readonly #options: EarlyStopOptions;
  #best = Infinity;
  #sweepsSinceBest = 0;

  constructor(options: EarlyStopOptions) {
    this.#options = options;
  }

  /** Why the run is over behind a sweep with this loss; undefined: it goes on. */
  endSweep(loss: number): Extract<EndReason, 'target-loss' | 'no-improvement'> | undefined {
    const { targetLoss = -Infinity, patience = Infinity, minImprovement = 0 } = this.#options;
    const isBetter = loss < this.#best - minImprovement;
    this.#sweepsSinceBest = isBetter ? 0 : this.#sweepsSinceBest + 1;
    if (isBetter) this.#best = loss;
    if (loss <= targetLoss) return 'target-loss';
    return this.#sweepsSinceBest >= patience ? 'no-improvement' : undefined;
  }

  get state(): EarlyStopState {
    return {
      best: Number.isFinite(this.#best) ? this.#best : null,
      sweepsSinceBest: this.#sweepsSinceBest,
    };
  }

  set state({ best, sweepsSinceBest }: EarlyStopState) {
    this.#best = best ?? Infinity;
    this.#sweepsSinceBest = sweepsSinceBest;
  }
}
