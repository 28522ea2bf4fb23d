import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MillraceError } from '../../src/errors.js';
import { OutageClock, retrying } from '../../src/telemetry/retrying.js';

const away = () => new MillraceError('MILLRACE_BROKER_UNAVAILABLE', 'away');
const neverAbandoned = new AbortController().signal;

/** Fails this often, then gives `done`. */
function failing(times: number, error: () => Error = away) {
  let calls = 0;
  return {
    work: () => (++calls <= times ? Promise.reject(error()) : Promise.resolve('done')),
    calls: () => calls,
  };
}

describe('retrying', () => {
  it('repeats what may succeed later, and says so meanwhile', async () => {
    const troubles: (string | undefined)[] = [];
    const { work, calls } = failing(2);
    const result = await retrying(work, {
      maxOutageMs: 10_000,
      abandoned: neverAbandoned,
      onTrouble: (reason) => troubles.push(reason),
    });
    assert.equal(result, 'done');
    assert.equal(calls(), 3);
    assert.deepEqual(troubles, ['away', 'away', undefined]);
  });

  it('throws at once what stays as it is', async () => {
    for (const error of [new Error('a bug'), new MillraceError('MILLRACE_COUNT_MISMATCH', 'lost')]) {
      const { work, calls } = failing(1, () => error);
      const options = { maxOutageMs: 10_000, abandoned: neverAbandoned, onTrouble: assert.fail };
      await assert.rejects(retrying(work, options), error);
      assert.equal(calls(), 1);
    }
  });

  it('throws the error once the outage has lasted too long', async () => {
    const { work, calls } = failing(100);
    const options = { maxOutageMs: 150, abandoned: neverAbandoned, onTrouble: () => {} };
    await assert.rejects(retrying(work, options), { code: 'MILLRACE_BROKER_UNAVAILABLE' });
    assert.equal(calls(), 2);
  });

  it('waits for longer than an outage may last when it is none', async () => {
    const { work, calls } = failing(3, () => new MillraceError('MILLRACE_TOPIC_UNWRITABLE', 'full'));
    const isOutage = ({ code }: MillraceError) => code !== 'MILLRACE_TOPIC_UNWRITABLE';
    const options = { maxOutageMs: 0, isOutage, abandoned: neverAbandoned, onTrouble: () => {} };
    assert.equal(await retrying(work, options), 'done');
    assert.equal(calls(), 4);
  });

  it('reckons an outage from its own first error', () => {
    const clock = new OutageClock(100, ({ code }) => code !== 'MILLRACE_TOPIC_UNWRITABLE');
    const full = new MillraceError('MILLRACE_TOPIC_UNWRITABLE', 'full');
    assert.equal(clock.isOver(full, 1_000), false);
    assert.equal(clock.isOver(away(), 90), false);
    assert.equal(clock.isOver(away(), 101), true);
    assert.equal(clock.isOver(full, 1_000), false);
    assert.equal(clock.isOver(away(), 90), false);
  });

  it('ends when nobody wants the result any more, also while it waits', async () => {
    const troubles: (string | undefined)[] = [];
    const abandoned = new AbortController();
    const { work, calls } = failing(100);
    const result = retrying(work, {
      maxOutageMs: 10_000,
      abandoned: abandoned.signal,
      onTrouble: (reason) => {
        troubles.push(reason);
        abandoned.abort();
      },
    });
    await assert.rejects(result, { code: 'MILLRACE_BROKER_UNAVAILABLE' });
    assert.equal(calls(), 1);
    assert.deepEqual(troubles, ['away', undefined]);
  });
});
