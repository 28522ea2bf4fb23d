/**
 * Gives each piece of work a turn of the event loop of its own, in the order in which they ask: between two of them
 * requests are answered and sockets served, however much work there is.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];

  /** Resolves when it is the caller's turn, which lasts until it next waits for anything. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) this.#schedule();
    });
  }

  /** One at a time: what is scheduled from within a turn comes in the next. */
  #schedule(): void {
    setImmediate(() => {
      const [resolve] = this.#waiting.splice(0, 1);
      resolve();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }
}
