import type { PlacedRow, RowReject } from '../../record/csv-source.js';
import {
  createProgress,
  formatQuantity,
  type Progress,
  type ProgressStream,
} from '../../telemetry/progress.js';

/** How many rejected rows are reported one by one; all of them are where rejects go. */
const maxReported = 20;

/** Counts what a producing run does, and shows it to people. */
export class ProduceReport {
  readonly #started = performance.now();
  readonly #progress: Progress;
  readonly #showsBytes: boolean;
  #isInTrouble = false;
  #numRows = 0;
  #numBytes = 0;
  #numRejected = 0;
  /** Bytes of the files whose rows are done with. */
  #numTextBytes = 0;

  /**
   * @param expected what the run ends with, where that is known: a number of rows, or the bytes of the files
   */
  constructor(
    stream: ProgressStream,
    expected: { limit?: number | undefined; numTextBytes?: number | undefined },
  ) {
    const { limit, numTextBytes } = expected;
    this.#showsBytes = limit === undefined && numTextBytes !== undefined;
    this.#progress = createProgress(
      stream,
      this.#showsBytes ? { total: numTextBytes, unit: 'bytes' } : { total: limit, unit: 'rows' },
    );
  }

  get numRejected(): number {
    return this.#numRejected;
  }

  /** @param numBytes of their keys and values */
  sent(rows: readonly Pick<PlacedRow, 'numBytes'>[], numBytes: number): void {
    this.#numRows += rows.length;
    this.#numBytes += numBytes;
    for (const row of rows) this.#numTextBytes += row.numBytes + 1;
    this.#update();
  }

  rejected({ file, line, raw, fault }: RowReject): void {
    this.#numRejected += 1;
    this.#numTextBytes += raw.length + 1;
    if (this.#numRejected <= maxReported) {
      this.#progress.log(`${file}:${line}: ${fault.message} [${fault.code}]`);
    } else if (this.#numRejected === maxReported + 1) {
      this.#progress.log('Further rejected rows are counted, and not listed here.');
    }
    this.#update();
  }

  /** Says, when it begins, why nothing can be sent at present; undefined: it can again. */
  trouble(reason: string | undefined): void {
    if (reason === undefined) this.#progress.log('Going on.');
    else if (!this.#isInTrouble) this.#progress.log(`${reason} Trying again.`);
    this.#isInTrouble = reason !== undefined;
  }

  /** Ends the drawing, with a last line if there is one. */
  end(line?: string): void {
    this.#progress.end(line);
  }

  /** Such as `7,000 rows (3.7 MB) to observations in 0.6 s: 11,700 rows/s; 2 rejected, to observations.dlq`. */
  summary(topic: string, rejectsTo: string): string {
    const seconds = (performance.now() - this.#started) / 1000;
    const amount = `${formatQuantity(this.#numRows, 'rows')} (${formatQuantity(this.#numBytes, 'bytes')})`;
    const rate = formatQuantity(Math.round(this.#numRows / seconds), 'rows/s');
    const rejected =
      this.#numRejected === 0
        ? '0 rejected'
        : `${formatQuantity(this.#numRejected, 'rejected')}, to ${rejectsTo}`;
    return `${amount} to ${topic} in ${seconds.toFixed(1)} s: ${rate}; ${rejected}`;
  }

  #update(): void {
    if (this.#showsBytes) this.#progress.update(this.#numTextBytes, formatQuantity(this.#numRows, 'rows'));
    else this.#progress.update(this.#numRows);
  }
}
