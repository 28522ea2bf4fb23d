import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Minibatch, MinibatchSource, SourceState } from '../../../src/features/minibatch-source.js';
import { ArraySource } from '../../../src/features/sources/array-source.js';
import { ChunkedSource } from '../../../src/features/sources/chunked-source.js';
import type { ChunkedSequences } from '../../../src/features/sources/sequence-chunk.js';

/** Sequences of these lengths, chunk by chunk; every sample is the id of its sequence, and there is a sparse stream of the same. */
function numbered(chunks: readonly (readonly number[])[]): ChunkedSequences & { readonly read: number[] } {
  const read: number[] = [];
  const firsts = chunks.map((_, index) => chunks.slice(0, index).flat().length);
  const stream = { dtype: 'float32', shape: [1] } as const;
  return {
    streams: [
      { name: 'numbers', id: 0, storageFormat: 'dense', ...stream },
      { name: 'ones', id: 1, storageFormat: 'sparse', ...stream, shape: [1_000] },
    ],
    chunkSizes: chunks.map(({ length }) => length),
    read,
    readChunk(index) {
      read.push(index);
      const lengths = chunks[index];
      return Promise.resolve({
        numSequences: lengths.length,
        idOf: (sequence) => firsts[index] + sequence,
        lengthOf: (sequence) => lengths[sequence],
        gather: (sequences) => {
          const ids = [...sequences].flatMap((each) =>
            Array<number>(lengths[each]).fill(firsts[index] + each),
          );
          const ofEach = Uint32Array.from(sequences, (each) => lengths[each]);
          const indices = Uint32Array.from(ids);
          const ends = Uint32Array.from(ids, (_, sample) => sample + 1);
          const values = new Float32Array(ids.length).fill(1);
          return [
            { data: { storageFormat: 'dense', values: Float32Array.from(ids) }, lengths: ofEach },
            { data: { storageFormat: 'sparse', indices, values, ends }, lengths: ofEach },
          ];
        },
      });
    },
  };
}

/** The ids of the sequences of a minibatch; checks that its two streams say the same. */
function idsOf(minibatch: Minibatch): number[] {
  const [dense, sparse] = [minibatch.get('numbers')!, minibatch.get('ones')!];
  assert.ok(dense.data.storageFormat === 'dense' && sparse.data.storageFormat === 'sparse');
  assert.deepEqual([...sparse.data.indices], [...dense.data.values]);
  assert.deepEqual(
    [...sparse.data.ends],
    [...dense.data.values.keys()].map((sample) => sample + 1),
  );
  assert.equal(dense.numSamples, dense.data.values.length);
  assert.equal(dense.numSequences, dense.lengths.length);
  const ids: number[] = [];
  let sample = 0;
  for (const length of dense.lengths) {
    ids.push(dense.data.values[sample]);
    assert.ok(dense.data.values.subarray(sample, sample + length).every((value) => value === ids.at(-1)));
    sample += length;
  }
  return ids;
}

async function rest(source: MinibatchSource, size: number): Promise<number[][]> {
  const minibatches: number[][] = [];
  for (
    let next = await source.nextMinibatch(size);
    next !== undefined;
    next = await source.nextMinibatch(size)
  ) {
    minibatches.push(idsOf(next));
  }
  return minibatches;
}

const chunkings = fc
  .array(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 6 }), { minLength: 1, maxLength: 4 })
  .filter((chunks) => chunks.flat().length > 0);
const seeds = fc.option(fc.nat(), { nil: undefined });

describe('a source over chunks of sequences', () => {
  it('gives every sequence once a sweep, in minibatches that are as long as they may be', async () => {
    await fc.assert(
      fc.asyncProperty(chunkings, seeds, fc.integer({ min: 1, max: 9 }), async (chunks, seed, size) => {
        const lengths = chunks.flat();
        const source = new ChunkedSource(numbered(chunks), { maxSweeps: 3, seed });
        for (let sweep = 1; sweep <= 3; sweep++) {
          const found: number[] = [];
          for (let sweepEnd = false; !sweepEnd;) {
            const minibatch = (await source.nextMinibatch(size))!;
            const ids = idsOf(minibatch);
            const taken = ids.reduce((sum, id) => sum + lengths[id], 0);
            assert.ok(ids.length > 0 && (taken <= size || ids.length === 1));
            sweepEnd = minibatch.get('numbers')!.sweepEnd;
            found.push(...ids);
          }
          if (seed === undefined) assert.deepEqual(found, [...lengths.keys()]);
          assert.deepEqual(
            found.sort((a, b) => a - b),
            [...lengths.keys()],
          );
        }
        assert.equal(await source.nextMinibatch(size), undefined);
        assert.equal(await source.nextMinibatch(size), undefined);
      }),
    );
  });

  it('shares each minibatch among workers by the ids of its sequences', async () => {
    await fc.assert(
      fc.asyncProperty(chunkings, seeds, fc.integer({ min: 1, max: 4 }), async (chunks, seed, numWorkers) => {
        const open = () => new ChunkedSource(numbered(chunks), { maxSweeps: 2, seed });
        const whole = await rest(open(), 5);
        const workers = Array.from({ length: numWorkers }, open);
        for (const expected of whole) {
          const parts: number[] = [];
          for (const [rank, worker] of workers.entries()) {
            const ids = idsOf((await worker.nextMinibatch(5, numWorkers, rank))!);
            assert.ok(ids.every((id) => id % numWorkers === rank));
            assert.deepEqual(
              ids,
              expected.filter((id) => id % numWorkers === rank),
            );
            parts.push(...ids);
          }
          assert.deepEqual(parts.sort(), [...expected].sort());
        }
        for (const [rank, worker] of workers.entries()) {
          assert.equal(await worker.nextMinibatch(5, numWorkers, rank), undefined);
          assert.deepEqual(worker.checkpointState(), workers[0].checkpointState());
        }
      }),
    );
  });

  it('goes on from any checkpoint with the very same minibatches', async () => {
    await fc.assert(
      fc.asyncProperty(chunkings, seeds, fc.nat(12), async (chunks, seed, numBefore) => {
        const open = () => new ChunkedSource(numbered(chunks), { maxSweeps: 3, seed });
        const first = open();
        for (let i = 0; i < numBefore; i++) await first.nextMinibatch(4);
        const state = JSON.parse(JSON.stringify(first.checkpointState())) as SourceState;
        const expected = await rest(first, 4);
        const fresh = open();
        fresh.restoreFromCheckpoint(state);
        assert.deepEqual(fresh.checkpointState(), state);
        assert.deepEqual(await rest(fresh, 4), expected);
        // One that has gone on goes back, too.
        first.restoreFromCheckpoint(state);
        assert.deepEqual(await rest(first, 4), expected);
      }),
    );
  });

  it('ends after so many samples, and with neither limit not at all', async () => {
    const lengths = [
      [1, 1, 1],
      [1, 1],
    ];
    const limited = new ChunkedSource(numbered(lengths), { maxSamples: 12 });
    assert.deepEqual(await rest(limited, 3), [
      [0, 1, 2],
      [3, 4],
      [0, 1, 2],
      [3, 4],
      [0, 1],
    ]);
    const endless = new ChunkedSource(numbered(lengths));
    for (let i = 0; i < 40; i++) assert.ok(await endless.nextMinibatch(3));
  });

  it('reads a chunk once while it lasts', async () => {
    const sequences = numbered([
      [1, 1, 1, 1],
      [1, 1, 1, 1],
    ]);
    await rest(new ChunkedSource(sequences, { maxSweeps: 2 }), 3);
    assert.deepEqual(sequences.read, [0, 1, 0, 1]);
  });

  it('refuses limits, calls and checkpoints that make no sense', async () => {
    const open = (options: object = {}) => new ChunkedSource(numbered([[1, 1]]), options);
    const invalid = { code: 'MILLRACE_CONFIG_INVALID' };
    assert.throws(() => open({ maxSweeps: 1, maxSamples: 1 }), invalid);
    for (const limit of [0, -1, 1.5, NaN]) assert.throws(() => open({ maxSweeps: limit }), invalid);
    assert.throws(() => new ChunkedSource(numbered([[]])), { code: 'MILLRACE_INPUT_EMPTY' });
    for (const call of [[0], [1.5], [1, 2, 2], [1, 0, 0], [1, 2, -1]] as const) {
      await assert.rejects(open().nextMinibatch(...(call as unknown as [number])), invalid);
    }
    const good = open().checkpointState();
    for (const change of [
      { sweep: 0 },
      { sequences: 2 },
      { samples: -1 },
      { numSequences: 3 },
      { sweep: '1' },
    ]) {
      assert.throws(() => open().restoreFromCheckpoint({ ...good, ...change }), {
        code: 'MILLRACE_CHECKPOINT_INVALID',
      });
    }
    assert.throws(() => open().restoreFromCheckpoint({}), { code: 'MILLRACE_CHECKPOINT_INVALID' });
  });
});

describe('a source over arrays', () => {
  it('says what its streams are, and gives rows whole', async () => {
    const source = new ArraySource({
      x: { values: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), shape: [2, 2] },
      y: { values: Float32Array.of(0, 1), shape: [1] },
    });
    assert.deepEqual(source.streamInformation(), [
      { name: 'x', id: 0, storageFormat: 'dense', dtype: 'float32', shape: [2, 2] },
      { name: 'y', id: 1, storageFormat: 'dense', dtype: 'float32', shape: [1] },
    ]);
    const minibatch = (await source.nextMinibatch(1))!;
    assert.deepEqual(minibatch.get('x')!.data, {
      storageFormat: 'dense',
      values: Float32Array.of(1, 2, 3, 4),
    });
    assert.deepEqual(minibatch.get('y')!.data, { storageFormat: 'dense', values: Float32Array.of(0) });
  });

  it('refuses streams of different lengths', () => {
    const array = (length: number) => ({ values: new Float32Array(length), shape: [2] });
    for (const lengths of [
      [4, 6],
      [3, 3],
    ]) {
      assert.throws(() => new ArraySource({ x: array(lengths[0]), y: array(lengths[1]) }), {
        code: 'MILLRACE_CONFIG_INVALID',
      });
    }
  });
});
