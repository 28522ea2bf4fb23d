export interface PortionOptions<T> {
  /** A portion is written as soon as it has as many items, or bytes. */
  readonly maxItems: number;
  readonly maxBytes: number;
  /** And at the latest this long after its first item, unless the one before is still being written. */
  readonly maxAgeMs: number;
  /** Writes a portion; never called while a call is under way. When it fails, nothing more is written. */
  readonly write: (items: readonly T[]) => Promise<void>;
}

/** Gathers items into portions, in their order: one is written while the next is gathered, and no more is held. */
export class Portions<T> {
  readonly #options: PortionOptions<T>;
  readonly #failure = new AbortController();
  #items: T[] = [];
  #numBytes = 0;
  #isDue = false;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;

  constructor(options: PortionOptions<T>) {
    this.#options = options;
  }

  /** Aborts, with the reason, when a portion could not be written. */
  get failed(): AbortSignal {
    return this.#failure.signal;
  }

  /** Whether `room` should be waited for before anything is added. */
  get isFull(): boolean {
    return this.#items.length >= this.#options.maxItems || this.#numBytes >= this.#options.maxBytes;
  }

  add(item: T, numBytes: number): void {
    this.#items.push(item);
    this.#numBytes += numBytes;
    if (this.isFull) this.#write();
    else this.#timer ??= setTimeout(() => this.#becomeDue(), this.#options.maxAgeMs);
  }

  /** Waits until more can be gathered. Throws what `write` threw. */
  async room(): Promise<void> {
    while (this.isFull && !this.failed.aborted) await this.#writing;
    this.failed.throwIfAborted();
  }

  /** Writes what is left, and waits until all is written. Throws what `write` threw. */
  async finish(): Promise<void> {
    this.#isDue = true;
    this.#write();
    while (this.#writing !== undefined) await this.#writing;
    clearTimeout(this.#timer);
    this.failed.throwIfAborted();
  }

  #becomeDue(): void {
    this.#isDue = true;
    this.#write();
  }

  /** Writes what was gathered, unless a portion is under way; then it is looked at again when that is written. */
  #write(): void {
    const isTime = this.isFull || this.#isDue;
    if (!isTime || this.#items.length === 0 || this.#writing !== undefined || this.failed.aborted) return;
    const items = this.#items;
    [this.#items, this.#numBytes, this.#isDue] = [[], 0, false];
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#options
      .write(items)
      .catch((error: unknown) => this.#failure.abort(error))
      .then(() => {
        this.#writing = undefined;
        this.#write();
      });
  }
}
