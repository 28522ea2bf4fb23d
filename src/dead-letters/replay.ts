import { sizeOfRecord, type OutgoingRecord } from '../stream/publisher/produce-request.js';
import type { DeadLetter } from './dead-letter.js';
import { identityOf, markRecord } from './replay-marks.js';
import { planReplay, reasonsToLeave, type ReasonToLeave, type RowTopic } from './replay-plan.js';

export interface ReplayParts {
  readonly letters: AsyncIterable<DeadLetter>;
  readonly to: RowTopic;
  /** Topic that says what was replayed, and the identities that it holds. */
  readonly marks: { readonly topic: string; readonly identities: ReadonlySet<string> };
  /** Letters that were tried that often stay. */
  readonly maxReplays: number;
  /** Most rows to write. */
  readonly limit: number;
  /** Writes records as a whole or not at all. */
  readonly write: (records: readonly OutgoingRecord[]) => Promise<void>;
  readonly onProgress?: (counts: ReplayCounts) => void;
  /** Ends the replay between two transactions. */
  readonly signal?: AbortSignal;
  readonly nowMs?: number;
}

/** How many letters became what. */
export interface ReplayCounts {
  replayed: number;
  /** Replayed by an earlier run, or another letter about the same row. */
  before: number;
  readonly left: Map<ReasonToLeave, number>;
}

/** Rows and bytes of one transaction; readers of the rows see nothing of it before it ends. */
const [maxRows, maxBytes] = [500, 2 * 1024 * 1024];

/**
 * Writes the rows of letters back to their topic, in transactions that also mark them as replayed: a run that ends
 * anywhere is gone on with by the next one, and no row is written twice.
 *
 * Throws what `write` throws; what was not written by then is for the next run.
 */
export async function replayLetters(parts: ReplayParts): Promise<ReplayCounts> {
  const { letters, to, marks, limit, maxReplays, write, onProgress, signal, nowMs = Date.now() } = parts;
  const counts: ReplayCounts = { replayed: 0, before: 0, left: new Map() };
  const seen = new Set<string>();
  let batch = emptyBatch();
  const flush = async () => {
    const { rows, identities } = batch;
    if (rows.length > 0) await write([...rows, markRecord(marks.topic, identities)]);
    counts.replayed += rows.length;
    batch = emptyBatch();
    onProgress?.(counts);
  };
  for await (const letter of letters) {
    if (signal?.aborted || counts.replayed + batch.rows.length >= limit) break;
    const identity = identityOf(letter);
    if (marks.identities.has(identity) || seen.has(identity)) {
      counts.before += 1;
      continue;
    }
    const plan = planReplay(letter, to, { maxReplays, nowMs });
    if ('left' in plan) {
      counts.left.set(plan.left, (counts.left.get(plan.left) ?? 0) + 1);
      continue;
    }
    seen.add(identity);
    batch.rows.push(plan.row);
    batch.identities.push(identity);
    batch.numBytes += sizeOfRecord(plan.row);
    if (batch.rows.length >= maxRows || batch.numBytes >= maxBytes) await flush();
  }
  await flush();
  return counts;
}

/** The rows of one transaction. */
function emptyBatch(): { rows: OutgoingRecord[]; identities: string[]; numBytes: number } {
  return { rows: [], identities: [], numBytes: 0 };
}

/** Letters that stay. */
export function numLeft({ left }: ReplayCounts): number {
  return [...left.values()].reduce((sum, count) => sum + count, 0);
}

/** Such as `1,200 rows replayed to observations; 3 were replayed before; 2 left: 2 tried as often as ...`. */
export function describeReplay(counts: ReplayCounts, topic: string, isDryRun: boolean): string {
  const shown = (count: number) => count.toLocaleString('en-US');
  const left = [...counts.left].map(([reason, count]) => `${shown(count)} ${reasonsToLeave[reason]}`);
  return [
    `${shown(counts.replayed)} row(s) ${isDryRun ? 'would be ' : ''}replayed to ${topic}`,
    `${shown(counts.before)} had been replayed before`,
    `${shown(numLeft(counts))} left${left.length > 0 ? `: ${left.join('; ')}` : ''}`,
  ].join('\n');
}
