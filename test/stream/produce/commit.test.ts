import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createJobCommits } from '../../../src/stream/produce/commit.js';
import { startPosition } from '../../../src/stream/produce/position.js';
import { away, MemoryJournal } from '../../helpers/memory-journal.js';

const settings = { schema: { name: 's', fields: [], features: [] }, options: {} };
const record = (key: string) => ({ topic: 't', key, value: null });
const at = (sequence: number) => ({ ...startPosition, sequence });

function open(options: { areSettingsWritten?: boolean } = {}) {
  const journal = new MemoryJournal();
  const troubles: (string | undefined)[] = [];
  const commits = createJobCommits({
    ...{ journal, settings, areSettingsWritten: false, maxOutageMs: 10_000, ...options },
    signal: new AbortController().signal,
    onTrouble: (reason) => troubles.push(reason),
  });
  const keys = () => journal.records.map(({ key }) => key);
  return { journal, commits, troubles, keys };
}

/** Fails the first time that it is `when`. */
function failOnce(journal: MemoryJournal, when: 'before' | 'after'): void {
  journal.fault = (now) => {
    if (now !== when) return;
    journal.fault = () => {};
    throw away();
  };
}

describe('the commits of a producing job', () => {
  it('write the settings with the first position, and only when they are not there', async () => {
    const { journal, commits } = open();
    await commits.commit([record('a')], at(1));
    await commits.commit([record('b')], at(2));
    assert.deepEqual(journal.settings, [settings]);
    const known = open({ areSettingsWritten: true });
    await known.commits.commit([record('a')], at(1));
    assert.deepEqual(known.journal.settings, []);
  });

  it('write again what failed and is not committed', async () => {
    const { journal, commits, troubles, keys } = open();
    failOnce(journal, 'before');
    await commits.commit([record('a')], at(1));
    await commits.commit([record('b')], at(2));
    assert.deepEqual(keys(), ['a', 'b']);
    assert.equal(journal.numOpenings, 1);
    assert.deepEqual(troubles, ['away', undefined]);
  });

  it('do not write again what failed when it was committed already', async () => {
    const { journal, commits, keys } = open();
    await commits.commit([record('a')], at(1));
    failOnce(journal, 'after');
    await commits.commit([record('b')], at(2));
    await commits.commit([record('c')], at(3));
    assert.deepEqual(keys(), ['a', 'b', 'c']);
    assert.equal(journal.numOpenings, 1);
  });

  it('end when another run has taken the job, without disturbing it', async () => {
    const { journal, commits } = open();
    journal.isTaken = true;
    failOnce(journal, 'before');
    await assert.rejects(commits.commit([record('a')], at(1)), { code: 'MILLRACE_JOB_TAKEN_OVER' });
    assert.equal(journal.numOpenings, 0);
  });

  it('end when the job is further than they know', async () => {
    const { journal, commits, keys } = open();
    await commits.commit([record('a')], at(1));
    journal.fault = () => {
      journal.fault = () => {};
      journal.transactions.push({ records: [record('other')], position: at(3) });
      throw away();
    };
    await assert.rejects(commits.commit([record('b')], at(2)), { code: 'MILLRACE_JOB_TAKEN_OVER' });
    assert.deepEqual(keys(), ['a', 'other']);
  });
});
