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
