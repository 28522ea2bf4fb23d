import { MillraceError } from '../errors.js';
import type { Algorithm, AlgorithmSettings } from './algorithms/algorithm.js';
import { Positions, type OffsetRange, type PartitionPosition } from './positions.js';

/** What a worker has learnt from some rows. */
export interface Commit {
  readonly worker: string;
  /** 1, 2, 3 and so on for the commits of one worker; a commit that is sent again has the same number. */
  readonly sequence: number;
  /** The clock of the center variable that was pulled last. */
  readonly baseClock: number;
  /** The rows, at least of one partition. */
  readonly ranges: readonly OffsetRange[];
  /** One number per weight. */
  readonly residual: Float32Array;
  /** The center variable of `baseClock`, for the rules that need it. */
  readonly pulled?: Float32Array | undefined;
}

/** Why a commit changes nothing. */
export type Refusal =
  /**
   * A range does not begin where its partition stands: the rows were learnt from before, or others are missing. Or the
   * partition was never begun.
   */
  | 'position'
  /** There is no range. */
  | 'no-rows'
  /** It does not have the size of the center variable. */
  | 'size'
  /** A number of it is not finite. */
  | 'not-finite'
  /** It would move the center variable further than is allowed. */
  | 'too-large'
  /** It began at a clock that is still to come: of a server that has since gone back to its checkpoint. */
  | 'clock'
  /** A later commit of this worker was answered before. */
  | 'sequence';

export type CommitAnswer =
  | { readonly outcome: 'applied'; readonly clock: number; readonly staleness: number }
  | {
      readonly outcome: 'refused';
      readonly reason: Refusal;
      readonly clock: number;
      /** Where the partitions of the commit stand, as far as they were begun. */
      readonly positions: readonly PartitionPosition[];
    };

/** Everything that must survive together. */
export interface CenterState {
  readonly weights: Float32Array;
  /** How many updates the center variable has had. */
  readonly clock: number;
  readonly positions: readonly PartitionPosition[];
}

export interface CenterVariableOptions {
  readonly algorithm: Algorithm;
  readonly settings: AlgorithmSettings;
  /** Commits whose residual is longer than this (2-norm) are refused; all that are finite are taken unless given. */
  readonly maxResidualNorm?: number | undefined;
}

/** Workers whose last answer is kept; of more, those that were silent for longest are forgotten. */
const maxWorkers = 10_000;

/**
 * The center variable, and the position of the stream up to which it has learnt: one state machine without clocks,
 * sockets or files. A commit is applied if and only if its rows are the next ones of their partitions, and then weights,
 * clock and positions change at once. So no row moves the center variable twice, whoever sends it again.
 */
export class CenterVariable {
  readonly #algorithm: Algorithm;
  readonly #settings: AlgorithmSettings;
  readonly #maxResidualNorm: number;
  readonly #weights: Float32Array;
  #clock: number;
  readonly #positions: Positions;
  /** The last answer to each worker; who was answered last stands last. */
  readonly #answered = new Map<string, { readonly sequence: number; readonly answer: CommitAnswer }>();

  /** @param state to begin with; its weights are the center variable's from then on */
  constructor(
    { weights, clock, positions }: CenterState,
    { algorithm, settings, maxResidualNorm = Infinity }: CenterVariableOptions,
  ) {
    this.#algorithm = algorithm;
    this.#settings = settings;
    this.#maxResidualNorm = maxResidualNorm;
    this.#weights = weights;
    this.#clock = clock;
    this.#positions = new Positions(positions);
  }

  /** How many updates there were. */
  get clock(): number {
    return this.#clock;
  }

  /** Valid until the next commit: whoever keeps them copies them. */
  get weights(): Float32Array {
    return this.#weights;
  }

  get positions(): readonly PartitionPosition[] {
    return [...this.#positions];
  }

  /** A copy of everything, as it is between two commits. */
  state(): CenterState {
    return { weights: this.#weights.slice(), clock: this.#clock, positions: this.positions };
  }

  /**
   * Takes up a partition, at the position where reading it begins; one that was taken up before stays where it is. Only
   * then its rows can be committed: whoever goes back to a state without it must not go on in its middle.
   *
   * @returns where it stands
   */
  begin(partition: PartitionPosition): bigint {
    return this.#positions.begin(partition);
  }

  /**
   * Applies a commit, or says why it is refused; then nothing has changed. One that is sent again gets the answer of the
   * first time.
   */
  commit(commit: Commit): CommitAnswer {
    const { worker, sequence } = commit;
    const before = this.#answered.get(worker);
    if (before?.sequence === sequence) return before.answer;
    const reason =
      before !== undefined && sequence < before.sequence ? 'sequence' : this.#reasonToRefuse(commit);
    if (reason === 'sequence') return this.#refusal(commit, reason);
    const answer = reason === undefined ? this.#apply(commit) : this.#refusal(commit, reason);
    this.#answered.delete(worker);
    this.#answered.set(worker, { sequence, answer });
    if (this.#answered.size > maxWorkers) {
      const [silent] = this.#answered.keys();
      this.#answered.delete(silent);
    }
    return answer;
  }

  #reasonToRefuse({ baseClock, ranges, residual, pulled }: Commit): Refusal | undefined {
    const { needsPulled } = this.#algorithm;
    if (residual.length !== this.#weights.length) return 'size';
    if (needsPulled && pulled?.length !== this.#weights.length) return 'size';
    if (ranges.length === 0) return 'no-rows';
    if (baseClock > this.#clock) return 'clock';
    if (!this.#positions.continuesWith(ranges)) return 'position';
    const norm = normOf(residual);
    // NaN is not below anything either.
    if (!(norm < Infinity) || (needsPulled && !(normOf(pulled!) < Infinity))) return 'not-finite';
    return norm > this.#maxResidualNorm ? 'too-large' : undefined;
  }

  #apply({ baseClock, ranges, residual, pulled }: Commit): CommitAnswer {
    const staleness = this.#clock - baseClock;
    this.#algorithm.apply(this.#weights, { residual, staleness, pulled }, this.#settings);
    this.#clock += 1;
    this.#positions.advance(ranges);
    return { outcome: 'applied', clock: this.#clock, staleness };
  }

  #refusal({ ranges }: Commit, reason: Refusal): CommitAnswer {
    const positions = ranges.flatMap(({ topic, partition }) => {
      const position = this.#positions.of({ topic, partition });
      return position === undefined ? [] : [{ topic, partition, position }];
    });
    return { outcome: 'refused', reason, clock: this.#clock, positions };
  }
}

/** Checks a state that was read or received. Throws MILLRACE_CHECKPOINT_INVALID. */
export function checkCenterState({ weights, clock, positions }: CenterState): void {
  const problem = !(normOf(weights) < Infinity)
    ? 'a weight of it is not finite'
    : !Number.isSafeInteger(clock) || clock < 0
      ? `its clock is ${clock}`
      : positions.some(({ position }) => position < 0n)
        ? 'a position of it is below 0'
        : undefined;
  if (problem === undefined) return;
  throw new MillraceError('MILLRACE_CHECKPOINT_INVALID', `The center variable cannot be used: ${problem}.`);
}

/** The square root of the sum of squares; NaN or infinite when a number is. */
function normOf(numbers: Float32Array): number {
  let sum = 0;
  for (let place = 0; place < numbers.length; place++) sum += numbers[place] * numbers[place];
  return Math.sqrt(sum);
}
