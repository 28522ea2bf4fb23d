import { setImmediate as turn } from 'node:timers/promises';

/** How far ahead to read. */
export interface PrefetchOptions {
  /** Items that may wait; 100 unless given. */
  readonly depth?: number;
}

/**
 * Reads ahead: takes items from a source while the ones before are being used, so that reading, decoding and shuffling
 * go on while a model computes. It begins with the first item that is asked for. The event loop has a turn between two
 * items, so that a source that never waits keeps nobody waiting.
 *
 * An error of the source is thrown behind the items that came before it. Whoever stops early (`break`, `return()`)
 * stops the reading, too: the item under way is waited for, and the source is closed.
 */
export async function* prefetch<T>(
  source: AsyncIterable<T> | Iterable<T>,
  { depth = 100 }: PrefetchOptions = {},
): AsyncGenerator<T, void, undefined> {
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const items: T[] = [];
  let end: { readonly error?: unknown } | undefined;
  let isStopped = false;
  const [taken, read] = [new Signal(), new Signal()];
  const reading = (async () => {
    try {
      while (!isStopped) {
        if (items.length >= depth) {
          await taken.next();
          continue;
        }
        const result = await iterator.next();
        if (result.done === true) break;
        items.push(result.value);
        read.give();
        await turn();
      }
      end = {};
    } catch (error) {
      end = { error };
    }
    read.give();
  })();
  try {
    for (;;) {
      if (items.length > 0) {
        const [item] = items.splice(0, 1);
        taken.give();
        yield item;
      } else if (end === undefined) await read.next();
      else if ('error' in end) throw end.error;
      else return;
    }
  } finally {
    isStopped = true;
    taken.give();
    await reading;
    await iterator.return?.();
  }
}

/** Wakes the one who waits, now or when it begins to wait. */
class Signal {
  #isGiven = false;
  #wake: (() => void) | undefined;

  give(): void {
    this.#isGiven = true;
    this.#wake?.();
  }

  async next(): Promise<void> {
    if (!this.#isGiven) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#isGiven = false;
    this.#wake = undefined;
  }
}
