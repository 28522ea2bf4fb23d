import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Portions } from '../../../src/stream/produce/portions.js';

/** Portions of at most three items or ten bytes, whose writing waits to be let through. */
function open(maxAgeMs = 1e6) {
  const written: string[] = [];
  const pending: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const portions = new Portions<string>({
    ...{ maxItems: 3, maxBytes: 10, maxAgeMs },
    write: (items) => {
      written.push(items.join(''));
      return new Promise((resolve, reject) => pending.push({ resolve, reject }));
    },
  });
  const add = (...items: string[]) => items.forEach((item) => portions.add(item, 1));
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { written, pending, portions, add, turn };
}

describe('portions', () => {
  it('are written when they are full, by number or by bytes', () => {
    const { written, portions, add } = open();
    add('a', 'b');
    assert.deepEqual(written, []);
    add('c');
    assert.deepEqual(written, ['abc']);
    assert.ok(!portions.isFull);
    const heavy = open();
    heavy.portions.add('d', 10);
    assert.deepEqual(heavy.written, ['d']);
  });

  it('are gathered while one is written, one at a time, and then there is no room', async () => {
    const { written, pending, portions, add, turn } = open();
    add('a', 'b', 'c', 'd', 'e', 'f');
    assert.deepEqual(written, ['abc']);
    assert.ok(portions.isFull);
    let hasRoom = false;
    const room = portions.room().then(() => (hasRoom = true));
    await turn();
    assert.ok(!hasRoom);
    pending[0].resolve();
    await room;
    assert.deepEqual(written, ['abc', 'def']);
  });

  it('are written after a while though they are not full', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { written, pending, add, turn } = open(500);
    add('a');
    t.mock.timers.tick(499);
    assert.deepEqual(written, []);
    t.mock.timers.tick(1);
    assert.deepEqual(written, ['a']);
    add('b');
    t.mock.timers.tick(500);
    assert.deepEqual(written, ['a']);
    pending[0].resolve();
    await turn();
    assert.deepEqual(written, ['a', 'b']);
  });

  it('are all written when it is finished', async () => {
    const { written, pending, portions, add, turn } = open();
    add('a', 'b', 'c', 'd');
    const finished = portions.finish();
    pending[0].resolve();
    await turn();
    assert.deepEqual(written, ['abc', 'd']);
    pending[1].resolve();
    await finished;
  });

  it('end with the first that cannot be written', async () => {
    const { written, pending, portions, add } = open();
    add('a', 'b', 'c', 'd', 'e', 'f');
    const room = portions.room();
    pending[0].reject(new Error('away'));
    await assert.rejects(room, /away/);
    assert.ok(portions.failed.aborted);
    await assert.rejects(portions.finish(), /away/);
    assert.deepEqual(written, ['abc']);
  });
});
