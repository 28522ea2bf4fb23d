import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** How many seconds the rates and latencies of the live view look back. */
const windowSeconds = 10;

/** What was counted until now. Times are in milliseconds. */
export interface Totals {
  readonly sent: number;
  readonly predicted: number;
  /** Dead letters by error code. */
  readonly deadLetters: ReadonlyMap<string, number>;
  readonly numDeadLetters: number;
  /** Sent and not answered yet. */
  readonly outstanding: number;
  /** Answers for rows that were never sent, or answered before: with exactly one answer a row there are none. */
  readonly unexpected: number;
  /** Of the predictions whose label is known, the share that is right; undefined before the first. */
  readonly accuracy: number | undefined;
  readonly numScored: number;
  readonly sentPerSecond: number;
  readonly predictedPerSecond: number;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

interface Pending {
  readonly label: string | undefined;
  readonly sentAtMs: number;
}

interface Second {
  startedAt: number;
  sent: number;
  predicted: number;
  latencies: RecordableHistogram;
}

/**
 * Keeps the accounts of a run: every row that is sent is answered once, by a prediction or by a dead letter. Rates and
 * latencies are of the last ten seconds. All times are given by the caller, in milliseconds of one clock.
 */
export class Tally {
  readonly #pending = new Map<string, Pending>();
  readonly #deadLetters = new Map<string, number>();
  readonly #whole = createHistogram();
  #seconds: Second[] = [];
  #sent = 0;
  #predicted = 0;
  #unexpected = 0;
  #scored = 0;
  #correct = 0;

  /** A row is about to be sent. `label` is the known answer, if it counts for the accuracy. */
  sent(key: string, label: string | undefined, nowMs: number): void {
    this.#sent++;
    this.#second(nowMs).sent++;
    this.#pending.set(key, { label, sentAtMs: nowMs });
  }

  /** A row that was to be sent was not written. */
  withdrawn(key: string): void {
    if (this.#pending.delete(key)) this.#sent--;
  }

  predicted(key: string, label: string | null, nowMs: number): void {
    const row = this.#answer(key);
    if (row === undefined) return;
    this.#predicted++;
    const second = this.#second(nowMs);
    second.predicted++;
    // A histogram counts whole numbers from 1: microseconds keep three digits of a millisecond.
    const micros = Math.max(1, Math.round((nowMs - row.sentAtMs) * 1000));
    second.latencies.record(micros);
    this.#whole.record(micros);
    if (row.label !== undefined) {
      this.#scored++;
      if (row.label === label) this.#correct++;
    }
  }

  deadLettered(key: string, code: string): void {
    if (this.#answer(key) === undefined) return;
    this.#deadLetters.set(code, (this.#deadLetters.get(code) ?? 0) + 1);
  }

  /** The accounts, with rates and latencies of the seconds before `nowMs`. */
  recent(nowMs: number): Totals {
    this.#forget(nowMs);
    const latencies = createHistogram();
    for (const second of this.#seconds) latencies.add(second.latencies);
    const spanSeconds =
      this.#seconds.length === 0 ? 1 : Math.max(1, (nowMs - this.#seconds[0].startedAt) / 1000);
    const sum = (what: 'sent' | 'predicted') =>
      this.#seconds.reduce((total, second) => total + second[what], 0);
    return this.#totals(sum('sent') / spanSeconds, sum('predicted') / spanSeconds, latencies);
  }

  /** The accounts of the whole run, which took `seconds`. */
  whole(seconds: number): Totals {
    return this.#totals(this.#sent / seconds, this.#predicted / seconds, this.#whole);
  }

  get outstanding(): number {
    return this.#pending.size;
  }

  #totals(sentPerSecond: number, predictedPerSecond: number, latencies: RecordableHistogram): Totals {
    const percentile = (p: number) => (latencies.count > 0 ? latencies.percentile(p) / 1000 : undefined);
    return {
      sent: this.#sent,
      predicted: this.#predicted,
      deadLetters: this.#deadLetters,
      numDeadLetters: [...this.#deadLetters.values()].reduce((total, count) => total + count, 0),
      outstanding: this.#pending.size,
      unexpected: this.#unexpected,
      accuracy: this.#scored > 0 ? this.#correct / this.#scored : undefined,
      numScored: this.#scored,
      sentPerSecond,
      predictedPerSecond,
      p50Ms: percentile(50),
      p99Ms: percentile(99),
    };
  }

  #answer(key: string): Pending | undefined {
    const row = this.#pending.get(key);
    if (row === undefined) this.#unexpected++;
    this.#pending.delete(key);
    return row;
  }

  #second(nowMs: number): Second {
    const last = this.#seconds.at(-1);
    if (last !== undefined && nowMs - last.startedAt < 1000) return last;
    this.#forget(nowMs);
    const second = { startedAt: nowMs, sent: 0, predicted: 0, latencies: createHistogram() };
    this.#seconds.push(second);
    return second;
  }

  #forget(nowMs: number): void {
    this.#seconds = this.#seconds.filter((second) => nowMs - second.startedAt < windowSeconds * 1000);
  }
}
