import { MillraceError } from '../../errors.js';
import type { ProduceJournal } from './journal.js';
import type { ProducePosition, ProduceSettings } from './position.js';
import type { OutgoingRecord } from '../publisher/produce-request.js';
import { retrying } from '../../telemetry/retrying.js';

export interface JobCommitsOptions {
  /** Open. */
  readonly journal: ProduceJournal;
  readonly settings: ProduceSettings;
  /** Whether the settings are in the journal as they are. */
  readonly areSettingsWritten: boolean;
  /** How long brokers may be away. */
  readonly maxOutageMs: number;
  /** Ends the waiting for brokers that are away. */
  readonly signal: AbortSignal;
  /** Told why nothing can be written at present, and with undefined that it can again. */
  readonly onTrouble: (reason: string | undefined) => void;
}

/** Commits the transactions of a job, one after the other, each once, through any trouble that passes. */
export interface JobCommits {
  /**
   * Throws MILLRACE_JOB_TAKEN_OVER when another run has opened the job, and what the journal throws when that does not
   * pass; then it is not known whether this was committed.
   *
   * @param position its `sequence` is one more than that of the commit before
   */
  commit(records: readonly OutgoingRecord[], position: ProducePosition): Promise<void>;
}

export function createJobCommits(options: JobCommitsOptions): JobCommits {
  const { journal, settings, maxOutageMs, signal, onTrouble } = options;
  let { areSettingsWritten } = options;
  let isOpen = true;

  /** Opens the journal again after a failure. Returns whether what failed was committed after all. */
  async function isCommittedAfterAll({ sequence }: ProducePosition): Promise<boolean> {
    // Asked before it is opened: who took the job over is not to be disturbed.
    if (await journal.isTakenOver()) throw takenOver();
    const { last } = await journal.open();
    isOpen = true;
    const lastSequence = last?.position.sequence ?? 0;
    if (lastSequence > sequence) throw takenOver();
    return lastSequence === sequence;
  }

  return {
    async commit(records, position) {
      const attempt = async () => {
        if (!isOpen && (await isCommittedAfterAll(position))) return;
        isOpen = false;
        await journal.write(records, position, areSettingsWritten ? undefined : settings);
        isOpen = true;
      };
      await retrying(attempt, { maxOutageMs, abandoned: signal, onTrouble });
      areSettingsWritten = true;
    },
  };
}

function takenOver(): MillraceError {
  return new MillraceError(
    'MILLRACE_JOB_TAKEN_OVER',
    'Another run of the same job was started and goes on with it: let that one do it, or give one of them another --job NAME.',
  );
}
