import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { regroup } from '../../src/record/row-chunks.js';

async function* chunksOf(chunks: readonly (readonly number[])[]): AsyncGenerator<readonly number[]> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

describe('regrouped rows', () => {
  it('are the same rows in lists of one size, the last one shorter', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(fc.nat())), fc.integer({ min: 1, max: 7 }), async (chunks, size) => {
        const lists: (readonly number[])[] = [];
        for await (const list of regroup(chunksOf(chunks), size)) lists.push(list);
        assert.deepEqual(lists.flat(), chunks.flat());
        for (const [index, list] of lists.entries()) {
          assert.ok(list.length === size || (index === lists.length - 1 && list.length > 0));
        }
      }),
    );
  });
});
