import { messageOf } from '../errors.js';
import type { CenterVariable } from './center-variable.js';
import type { CheckpointFolder } from './checkpoint-folder.js';

export interface CheckpointKeeperOptions {
  readonly center: CenterVariable;
  readonly folder: Pick<CheckpointFolder, 'write'>;
  /** A checkpoint is written after so many commits, */
  readonly everyCommits: number;
  /** and after so long since the first of them. */
  readonly everyMs: number;
  /** Told of every checkpoint: the clock it has, and how long writing took. */
  readonly onWritten: (clock: number, seconds: number) => void;
  /** Told why no checkpoint can be written, and with undefined that they can again. */
  readonly onTrouble: (reason: string | undefined) => void;
}

/** How long after a failure writing is tried again. */
const retryMs = 1_000;

/**
 * Writes checkpoints of a center variable, one at a time, and each of all that is known by then. Never are more than
 * `everyCommits` commits at risk for longer than `everyMs` and the time of writing.
 */
export class CheckpointKeeper {
  readonly #options: CheckpointKeeperOptions;
  #numUnkept = 0;
  #isDirty = false;
  #writing: Promise<void> | undefined;
  /** What is to be in the checkpoint after the one that is being written. */
  #next: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #trouble: string | undefined;
  #isClosed = false;

  constructor(options: CheckpointKeeperOptions) {
    this.#options = options;
  }

  /** Why nothing can be kept at present; undefined when all is well. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Something is not kept yet. */
  get isDirty(): boolean {
    return this.#isDirty || this.#writing !== undefined;
  }

  /** The center variable has moved. */
  committed(): void {
    this.#isDirty = true;
    this.#numUnkept += 1;
    if (this.#numUnkept >= this.#options.everyCommits) this.#keepSoon();
    else this.#schedule(this.#options.everyMs);
  }

  /** Resolves when a checkpoint is on the disk that has everything of now. Throws MILLRACE_FILE_UNUSABLE. */
  keep(): Promise<void> {
    this.#isDirty = true;
    if (this.#next !== undefined) return this.#next;
    if (this.#writing === undefined) return this.#write();
    // What is being written now may have been copied before.
    this.#next = this.#writing
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#write();
      });
    return this.#next;
  }

  /** Keeps what is not kept yet. Throws MILLRACE_FILE_UNUSABLE. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await (this.#next ?? this.#writing)?.catch(() => undefined);
    if (this.#isDirty) await this.keep();
  }

  #keepSoon(): void {
    // Told to the listener; whoever waits for a checkpoint hears it from `keep`.
    this.keep().catch(() => undefined);
  }

  #write(): Promise<void> {
    const writing = this.#writeNow();
    this.#writing = writing;
    return writing;
  }

  async #writeNow(): Promise<void> {
    const { center, folder, onWritten } = this.#options;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isDirty = false;
    this.#numUnkept = 0;
    const startedAt = performance.now();
    try {
      const state = center.state();
      await folder.write(state);
      this.#tell(undefined);
      onWritten(state.clock, (performance.now() - startedAt) / 1000);
    } catch (error) {
      this.#isDirty = true;
      this.#tell(messageOf(error));
      this.#schedule(retryMs);
      throw error;
    } finally {
      this.#writing = undefined;
    }
  }

  #schedule(afterMs: number): void {
    if (this.#isClosed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#keepSoon();
    }, afterMs).unref();
  }

  #tell(trouble: string | undefined): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#options.onTrouble(trouble);
  }
}
