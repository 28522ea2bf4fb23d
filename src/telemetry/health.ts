/** Where a process is in its life: it starts, runs, drains when asked to end, and has stopped or failed. */
export type LifecycleState = 'starting' | 'running' | 'draining' | 'stopped' | 'failed';

/** What a process says about itself when it is asked. */
export interface HealthReport {
  /** False only when nothing but a restart helps. */
  readonly live: boolean;
  /** Whether it does its work now. */
  readonly ready: boolean;
  readonly state: LifecycleState;
  /** Why it is not ready, one sentence each; empty when it is. */
  readonly reasons: readonly string[];
}

/** The states that may follow each; a process that has ended stays so. */
const successors: Readonly<Record<LifecycleState, readonly LifecycleState[]>> = {
  starting: ['running', 'draining', 'stopped', 'failed'],
  running: ['draining', 'stopped', 'failed'],
  draining: ['stopped', 'failed'],
  stopped: [],
  failed: [],
};

const stateReasons: Readonly<Record<Exclude<LifecycleState, 'running'>, string>> = {
  starting: 'the process is starting',
  draining: 'the process is asked to end and finishes what is in flight',
  stopped: 'the process has ended',
  failed: 'the process has failed and is about to end',
};

/**
 * The health of one process: its state, and what at present keeps it from its work. Each part of the process names
 * its own trouble and takes it back when it is over.
 */
export class Health {
  #state: LifecycleState = 'starting';
  #stall: string | undefined;
  /** By who is in trouble. */
  readonly #troubles = new Map<unknown, string>();

  get state(): LifecycleState {
    return this.#state;
  }

  /** Goes on to a later state; a step backward, such as draining after a failure, changes nothing. */
  enter(state: LifecycleState): void {
    if (successors[this.#state].includes(state)) this.#state = state;
  }

  /**
   * Says why a part cannot work at present, or with undefined that it can.
   *
   * @param caller tells apart those who use the same part at once: its trouble is over when all of them say so
   */
  trouble(part: string, reason: string | undefined, caller: unknown = part): void {
    if (reason === undefined) this.#troubles.delete(caller);
    else this.#troubles.set(caller, `${part}: ${reason}`);
  }

  /** Whether a part says at present why it cannot work. */
  get hasTrouble(): boolean {
    return this.#troubles.size > 0;
  }

  /** Says why only a restart helps although the process runs, or with undefined that work goes on. */
  stalled(reason: string | undefined): void {
    this.#stall = reason;
  }

  report(): HealthReport {
    const state = this.#state;
    const stall = this.#stall;
    const reasons = [
      ...(state === 'running' ? [] : [stateReasons[state]]),
      ...(stall === undefined ? [] : [`stalled: ${stall}`]),
      ...new Set(this.#troubles.values()),
    ];
    return { live: state !== 'failed' && stall === undefined, ready: reasons.length === 0, state, reasons };
  }
}
