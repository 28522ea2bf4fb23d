import type { RowErrorCode } from '../errors.js';
import type { ChunkCounts } from './answer.js';

/**
 * What a member has done in its life: rows = predictions + deadLetters + filtered + skipped. Rows whose partition was
 * lost before their answers were written are not among them.
 */
export class ServingSummary {
  rows = 0;
  predictions = 0;
  deadLetters = 0;
  filtered = 0;
  skipped = 0;
  rebalances = 0;
  readonly deadLettersByCode: Partial<Record<RowErrorCode, number>> = {};

  add(counts: ChunkCounts): void {
    this.rows += counts.rows;
    this.predictions += counts.predictions;
    this.filtered += counts.filtered;
    this.skipped += counts.skipped;
    for (const [code, count] of counts.deadLetters) {
      this.deadLetters += count;
      this.deadLettersByCode[code] = (this.deadLettersByCode[code] ?? 0) + count;
    }
  }
}
