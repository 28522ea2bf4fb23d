import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { prefetch } from '../../src/features/prefetch.js';

/** A source that hands out 0, 1, ... when it is told to, and remembers what was asked of it. */
class Steps implements AsyncIterableIterator<number> {
  numAsked = 0;
  isClosed = false;
  readonly #length: number;
  readonly #failure: Error | undefined;
  #gates: (() => void)[] = [];
  readonly #isOpen: boolean;

  constructor(length: number, { failure, isOpen = true }: { failure?: Error; isOpen?: boolean } = {}) {
    this.#length = length;
    this.#failure = failure;
    this.#isOpen = isOpen;
  }

  async next(): Promise<IteratorResult<number, undefined>> {
    const value = this.numAsked++;
    if (!this.#isOpen) await new Promise<void>((resolve) => this.#gates.push(resolve));
    if (value < this.#length) return { done: false, value };
    if (this.#failure !== undefined) throw this.#failure;
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<number, undefined>> {
    this.isClosed = true;
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Lets the read that waits go on. */
  open(): void {
    this.#gates.splice(0).forEach((gate) => gate());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe('prefetch', () => {
  it('gives every item of any source in its order, whoever is faster', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 30 }),
        fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 31, maxLength: 31 }),
        fc.integer({ min: 1, max: 5 }),
        async (readTurns, useTurns, depth) => {
          async function* source() {
            for (const [index, turns] of readTurns.entries()) {
              for (let i = 0; i < turns; i++) await turn();
              yield index;
            }
          }
          const found: number[] = [];
          for await (const item of prefetch(source(), { depth })) {
            for (let i = 0; i < useTurns[item]; i++) await turn();
            found.push(item);
          }
          assert.deepEqual(found, [...readTurns.keys()]);
        },
      ),
      { numRuns: 50 },
    );
    assert.deepEqual(await collect(prefetch([1, 2, 3])), [1, 2, 3]);
    assert.deepEqual(await collect(prefetch([])), []);
  });

  it('reads on while an item is in use, and no further than it may', async () => {
    const steps = new Steps(1_000);
    const items = prefetch(steps, { depth: 4 });
    assert.equal(steps.numAsked, 0, 'nobody has asked yet');
    assert.deepEqual(await items.next(), { done: false, value: 0 });
    await turns(20);
    assert.equal(steps.numAsked, 1 + 4);
    assert.deepEqual(await items.next(), { done: false, value: 1 });
    await turns(20);
    assert.equal(steps.numAsked, 2 + 4);
    await items.return();
    assert.ok(steps.isClosed);
    const many = new Steps(1_000);
    const usual = prefetch(many);
    await usual.next();
    await turns(200);
    assert.equal(many.numAsked, 1 + 100);
    await usual.return();
  });

  it('lets others have their turn while it reads what never waits', async () => {
    const steps = new Steps(1_000);
    const items = prefetch(steps, { depth: 900 });
    await items.next();
    await turns(10);
    assert.ok(steps.numAsked < 20, `${steps.numAsked} items in ten turns`);
    await items.return();
  });

  it('throws what the source threw, behind the items that came before it', async () => {
    const failure = new Error('the disk is gone');
    const items = prefetch(new Steps(2, { failure }));
    assert.deepEqual(
      [await items.next(), await items.next()].map(({ value }) => value),
      [0, 1],
    );
    await assert.rejects(items.next(), failure);
    assert.deepEqual(await items.next(), { done: true, value: undefined });
  });

  it('waits for the read under way when it is stopped, and reads nothing after it', async () => {
    const steps = new Steps(1_000, { isOpen: false });
    const items = prefetch(steps, { depth: 10 });
    const first = items.next();
    steps.open();
    assert.equal((await first).value, 0);
    await turns(2);
    const stopped = items.return();
    await turn();
    assert.equal(steps.isClosed, false, 'a read is under way');
    steps.open();
    await stopped;
    assert.ok(steps.isClosed);
    assert.equal(steps.numAsked, 2);
    assert.deepEqual(await items.next(), { done: true, value: undefined });
  });
});
