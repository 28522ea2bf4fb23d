import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Turns } from '../../src/serving/turns.js';

describe('turns of the event loop', () => {
  it('come one at a time, in the order in which they were asked for', async () => {
    const turns = new Turns();
    const done: string[] = [];
    const work = async (name: string) => {
      await turns.next();
      done.push(`${name} begins`);
      // What a piece of work goes on with at once belongs to its turn.
      await Promise.resolve();
      done.push(`${name} ends`);
    };
    const all = Promise.all([work('a'), work('b'), work('c')]);
    const others: number[] = [];
    const count = () => {
      others.push(done.length);
      if (done.length < 6) setImmediate(count);
    };
    setImmediate(count);
    await all;
    assert.deepEqual(done, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
    assert.ok(others.includes(2) && others.includes(4), `others had their turns after ${others.join(', ')}`);
  });

  it('come anew when all were taken', async () => {
    const turns = new Turns();
    await turns.next();
    await turns.next();
    await Promise.all([turns.next(), turns.next()]);
  });
});
