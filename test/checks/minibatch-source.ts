import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Minibatch, MinibatchSource, SourceState } from '../../src/features/minibatch-source.js';
import type { ChunkedSourceOptions } from '../../src/features/sources/chunked-source.js';

export interface SourceCase {
  readonly name: string;
  /** Opens the source anew; no two of its sequences are equal. */
  readonly open: (t: TestContext, options: ChunkedSourceOptions) => Promise<MinibatchSource>;
  /** What `sequencesOf` says of each sequence, in the order in which they stand. */
  readonly sequences: readonly string[];
}

/** The numbers of each sequence of a minibatch, stream by stream, as text. */
export function sequencesOf(minibatch: Minibatch): string[] {
  const streams = [...minibatch.values()].map((stream) => {
    const { data, lengths, numSamples } = stream;
    const samples = Array.from({ length: numSamples }, (_, sample) => {
      if (data.storageFormat === 'dense') {
        const size = data.values.length / numSamples;
        return data.values.subarray(sample * size, (sample + 1) * size).join(' ');
      }
      const [start, end] = [sample === 0 ? 0 : data.ends[sample - 1], data.ends[sample]];
      return Array.from(
        { length: end - start },
        (_, i) => `${data.indices[start + i]}:${data.values[start + i]}`,
      );
    });
    let end = 0;
    return Array.from(lengths, (length) => samples.slice(end, (end += length)).join(', '));
  });
  return streams[0].map((_, sequence) => streams.map((stream) => stream[sequence]).join(' | '));
}

/** What every minibatch source promises. The sequences must be at least 12. */
export function checkMinibatchSource({ name, open, sequences }: SourceCase): void {
  const sorted = [...sequences].sort();

  async function* minibatches(source: MinibatchSource, size: number, workers = 1, rank = 0) {
    for (;;) {
      const minibatch = await source.nextMinibatch(size, workers, rank);
      if (minibatch === undefined) return;
      yield minibatch;
    }
  }

  async function rest(source: MinibatchSource, size = 5): Promise<string[][]> {
    const found: string[][] = [];
    for await (const minibatch of minibatches(source, size)) found.push(sequencesOf(minibatch));
    return found;
  }

  /** What samples of a sequence count: the most that it has of a stream. */
  const numSamplesOf = (minibatch: Minibatch) => {
    const streams = [...minibatch.values()];
    return streams[0].lengths.reduce(
      (sum, _, sequence) => sum + Math.max(...streams.map(({ lengths }) => lengths[sequence])),
      0,
    );
  };

  describe(`the source ${name}`, () => {
    it('says what its streams are, and gives such minibatches', async (t) => {
      const source = await open(t, { maxSweeps: 2 });
      const information = source.streamInformation();
      assert.deepEqual(
        information.map(({ id }) => id),
        [...information.keys()],
      );
      let count = 0;
      for await (const minibatch of minibatches(source, 5)) {
        assert.deepEqual(
          [...minibatch.keys()],
          information.map((stream) => stream.name),
        );
        const [first] = minibatch.values();
        count += first.numSequences;
        for (const { name: stream, shape, storageFormat, dtype } of information) {
          const { data, lengths, numSequences, numSamples, sweepEnd } = minibatch.get(stream)!;
          const size = shape.reduce((product, each) => product * each, 1);
          assert.equal(dtype, 'float32');
          assert.equal(data.storageFormat, storageFormat);
          assert.equal(numSequences, first.numSequences);
          assert.equal(lengths.length, numSequences);
          assert.equal(
            lengths.reduce((sum, length) => sum + length, 0),
            numSamples,
          );
          assert.equal(sweepEnd, first.sweepEnd);
          assert.equal(sweepEnd, count % sequences.length === 0);
          if (data.storageFormat === 'dense') assert.equal(data.values.length, numSamples * size);
          else {
            assert.equal(data.ends.length, numSamples);
            assert.equal(data.indices.length, data.values.length);
            assert.ok(data.indices.every((index) => index < size));
          }
        }
        const isWithin = numSamplesOf(minibatch) <= 5 || first.numSequences === 1;
        assert.ok(isWithin && first.numSequences > 0);
      }
      assert.equal(count, 2 * sequences.length);
      assert.ok(source.numSequences === undefined || source.numSequences === sequences.length);
    });

    it('gives its sequences in their order, or in another one in each sweep, each once', async (t) => {
      const inOrder = await rest(await open(t, { maxSweeps: 2 }));
      assert.deepEqual(inOrder.flat(), [...sequences, ...sequences]);
      const shuffled = (await rest(await open(t, { maxSweeps: 2, seed: 3 }))).flat();
      const sweeps = [shuffled.slice(0, sequences.length), shuffled.slice(sequences.length)];
      for (const sweep of sweeps) {
        assert.deepEqual([...sweep].sort(), sorted);
        assert.notDeepEqual(sweep, sequences);
      }
      assert.notDeepEqual(sweeps[0], sweeps[1]);
      assert.deepEqual((await rest(await open(t, { maxSweeps: 2, seed: 3 }))).flat(), shuffled);
      assert.notDeepEqual((await rest(await open(t, { maxSweeps: 2, seed: 4 }))).flat(), shuffled);
    });

    for (const numWorkers of [2, 3]) {
      it(`is shared by ${numWorkers} workers without overlap, and nothing is left out`, async (t) => {
        const options = { maxSweeps: 2, seed: 1 };
        const whole = await rest(await open(t, options));
        const workers = await Promise.all(Array.from({ length: numWorkers }, () => open(t, options)));
        const owners = new Map<string, number>();
        for (const expected of whole) {
          const parts = await Promise.all(
            workers.map((each, rank) => each.nextMinibatch(5, numWorkers, rank)),
          );
          const found = parts.map((part) => sequencesOf(part!));
          for (const [rank, part] of found.entries()) {
            assert.deepEqual(
              part,
              expected.filter((sequence) => part.includes(sequence)),
              'in their order',
            );
            for (const sequence of part) {
              assert.equal(owners.get(sequence) ?? rank, rank, 'the same worker in every sweep');
              owners.set(sequence, rank);
            }
          }
          assert.deepEqual(found.flat().sort(), [...expected].sort());
        }
        assert.equal(new Set(owners.values()).size, numWorkers);
        for (const [rank, worker] of workers.entries()) {
          assert.equal(await worker.nextMinibatch(5, numWorkers, rank), undefined);
          assert.deepEqual(worker.checkpointState(), workers[0].checkpointState());
        }
      });
    }

    it('goes on from every checkpoint with the very same minibatches', async (t) => {
      const options = { maxSweeps: 3, seed: 7 };
      const whole = await rest(await open(t, options));
      const source = await open(t, options);
      const used = await open(t, options);
      for (let numBefore = 0; numBefore <= whole.length; numBefore++) {
        const state = JSON.parse(JSON.stringify(source.checkpointState())) as SourceState;
        if (numBefore % 3 === 0) {
          // One that was never read, before the first minibatch and behind the last, and one that has gone on.
          for (const restored of [await open(t, options), used]) {
            restored.restoreFromCheckpoint(state);
            assert.deepEqual(restored.checkpointState(), state);
            assert.deepEqual(await rest(restored), whole.slice(numBefore));
          }
        }
        await source.nextMinibatch(5);
      }
    });

    it('ends after so many sweeps, or so many samples, and not both', async (t) => {
      await assert.rejects(() => open(t, { maxSweeps: 1, maxSamples: 1 }), {
        code: 'MILLRACE_CONFIG_INVALID',
        message: /maxSweeps or maxSamples, not both/,
      });
      const maxSamples = 2 * sequences.length + 3;
      const source = await open(t, { maxSamples });
      let numSamples = 0;
      let longest = 0;
      for await (const minibatch of minibatches(source, 5)) {
        numSamples += numSamplesOf(minibatch);
        longest = Math.max(longest, numSamplesOf(minibatch));
      }
      assert.ok(numSamples >= maxSamples && numSamples < maxSamples + Math.max(1, longest));
      const endless = await open(t, {});
      for (let i = 0; i < 3 * sequences.length; i++) assert.ok(await endless.nextMinibatch(5));
    });

    it('gives what it gives away', async (t) => {
      const source = await open(t, { maxSweeps: 2 });
      const found: string[] = [];
      for await (const minibatch of minibatches(source, 5)) {
        found.push(...sequencesOf(minibatch));
        for (const { data } of minibatch.values()) data.values.fill(NaN);
      }
      assert.deepEqual(found, [...sequences, ...sequences]);
    });

    it('refuses what is no checkpoint of it', async (t) => {
      const source = await open(t, {});
      const state = source.checkpointState();
      const invalid = { code: 'MILLRACE_CHECKPOINT_INVALID' };
      for (const wrong of [
        {},
        { ...state, ...mapValues(state, () => 'x') },
        { ...state, ...mapValues(state, () => -1) },
      ]) {
        assert.throws(() => source.restoreFromCheckpoint(wrong), invalid);
      }
      assert.deepEqual(source.checkpointState(), state, 'and stays where it is');
    });
  });
}

function mapValues<T>(object: Readonly<Record<string, unknown>>, value: () => T): Record<string, T> {
  return Object.fromEntries(Object.keys(object).map((key) => [key, value()]));
}
