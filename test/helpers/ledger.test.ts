import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KcatRecord } from './kcat.js';
import { assertAtLeastOnce, assertExactlyOnce, Ledger, type LedgerFaults } from './ledger.js';

const none: LedgerFaults = {
  lost: 0,
  repeated: 0,
  conflicting: 0,
  foreign: 0,
  wrong: 0,
  disordered: 0,
  ambiguous: 0,
};

function record(fields: Partial<Omit<KcatRecord, 'key' | 'value'>> & { key?: string; value?: string }) {
  const { key = null, value = null } = fields;
  return {
    partition: 0,
    offset: 0,
    timestampMs: 0,
    headers: '',
    ...fields,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
  };
}

const input = (number: number, partition: number, offset: number) =>
  record({ partition, offset, key: String(number), timestampMs: 1_000 + number });

/** The prediction of a row, where a member that reads `events` puts it. */
function prediction(number: number, partition: number, offset: number, changes: { value?: string } = {}) {
  const headers = `traceparent=0,millrace.source.topic=events,millrace.source.partition=${partition},millrace.source.offset=${offset}`;
  const fields = { partition, offset: 0, headers, key: String(number), value: `answer ${number}` };
  return record({ ...fields, timestampMs: 1_000 + number, ...changes });
}

function letter(number: number, partition: number, offset: number) {
  const headers = `__connect.errors.topic=events,__connect.errors.partition=${partition},__connect.errors.offset=${offset},millrace.error.code=MILLRACE_ROW_EMPTY`;
  return record({ headers, key: String(number), value: undefined });
}

/** Rows 0 and 2 stand in partition 0, 1 and 3 in partition 1; 3 is to become a dead letter. */
function newLedger(): Ledger {
  const ledger = new Ledger('events', ({ kind, number, value, code }) => {
    if (number === 3) return code === 'MILLRACE_ROW_EMPTY' ? undefined : `${kind} with ${code}`;
    return String(value) === `answer ${number}` ? undefined : `${String(value)} of ${number}`;
  });
  for (const number of [0, 1, 2, 3]) ledger.addInput(input(number, number % 2, number >> 1));
  return ledger;
}

/** A ledger in which every row has its answer. */
function balancedLedger(): Ledger {
  const ledger = newLedger();
  for (const number of [0, 1, 2]) {
    ledger.addAnswer('prediction', prediction(number, number % 2, number >> 1));
  }
  ledger.addAnswer('dead letter', letter(3, 1, 1));
  return ledger;
}

describe('the ledger', () => {
  it('is balanced when every row has the answer that it must get', () => {
    const report = balancedLedger().report();
    assert.deepEqual(report, { inputs: 4, predictions: 3, deadLetters: 1, faults: none, examples: [] });
    assertExactlyOnce(report);
    assertAtLeastOnce(report);
  });

  it('finds a row that has no answer', () => {
    const ledger = newLedger();
    for (const number of [0, 1]) ledger.addAnswer('prediction', prediction(number, number, 0));
    ledger.addAnswer('dead letter', letter(3, 1, 1));
    const report = ledger.report();
    assert.deepEqual(report.faults, { ...none, lost: 1 });
    assert.throws(() => assertExactlyOnce(report), /of 4 rows: 1 lost\nlost: 0\/1 number 2/);
    assert.throws(() => assertAtLeastOnce(report), /1 lost/);
  });

  it('finds an answer that stands there twice, which at-least-once may do', () => {
    const ledger = balancedLedger();
    ledger.addAnswer('prediction', prediction(0, 0, 0));
    const report = ledger.report();
    assert.deepEqual(report.faults, { ...none, repeated: 1 });
    assert.equal(report.predictions, 3);
    assert.throws(() => assertExactlyOnce(report), /1 repeated/);
    assertAtLeastOnce(report);
  });

  it('finds a second answer that differs from the first', () => {
    const ledger = balancedLedger();
    ledger.addAnswer('dead letter', letter(2, 0, 1));
    ledger.addAnswer('prediction', prediction(2, 0, 1, { value: 'answer 7' }));
    const report = ledger.report();
    assert.deepEqual(report.faults, { ...none, repeated: 2, conflicting: 1, wrong: 2 });
    assert.throws(() => assertAtLeastOnce(report), /1 conflicting, 2 wrong/);
  });

  it('finds answers to what was never asked', () => {
    const ledger = balancedLedger();
    ledger.addAnswer('prediction', prediction(2, 0, 7));
    ledger.addAnswer('prediction', record({ key: '2', value: 'answer 2', headers: 'a=b' }));
    assert.equal(ledger.report().faults.foreign, 2);
    assert.throws(() => assertAtLeastOnce(ledger.report()), /2 foreign/);
  });

  it('finds an answer that stands at the place of another row', () => {
    const ledger = newLedger();
    ledger.addAnswer('prediction', prediction(0, 0, 0));
    ledger.addAnswer('prediction', prediction(0, 0, 1));
    assert.equal(ledger.report().faults.foreign, 1);
  });

  it('finds an answer that is not what the row must get', () => {
    const ledger = newLedger();
    ledger.addAnswer('prediction', prediction(0, 0, 0, { value: 'answer 5' }));
    const { faults, examples } = ledger.report();
    assert.equal(faults.wrong, 1);
    assert.match(examples[0], /^wrong: prediction of events\/0\/0 at 0\/0: answer 5 of 0$/);
  });

  it('finds answers in another order than their rows, whatever is repeated between them', () => {
    const ledger = newLedger();
    ledger.addAnswer('prediction', prediction(2, 0, 1));
    ledger.addAnswer('prediction', prediction(0, 0, 0));
    assert.equal(ledger.report().faults.disordered, 1);

    const repeating = newLedger();
    for (const number of [0, 0, 2, 0, 2]) {
      repeating.addAnswer('prediction', prediction(number, 0, number >> 1));
    }
    assert.equal(repeating.report().faults.disordered, 0);
  });

  it('finds a load that gives two rows one number', () => {
    const ledger = balancedLedger();
    ledger.addInput(input(2, 1, 2));
    assert.equal(ledger.report().faults.ambiguous, 1);
  });

  it('knows how far each partition is answered while the stream runs', () => {
    const ledger = newLedger();
    assert.equal(ledger.newestPredictionMs(1), 0);
    ledger.addAnswer('prediction', prediction(1, 1, 0));
    assert.equal(ledger.newestPredictionMs(1), 1_001);
    assert.deepEqual([ledger.numInputs, ledger.numAnswered], [4, 1]);
  });

  it('keeps little of many rows', () => {
    const ledger = new Ledger('events', () => undefined);
    const before = process.memoryUsage.rss();
    for (let number = 0; number < 200_000; number++) {
      ledger.addInput(input(number, number % 4, number >> 2));
      ledger.addAnswer('prediction', prediction(number, number % 4, number >> 2));
    }
    assert.deepEqual(ledger.report().faults, none);
    const grownMb = (process.memoryUsage.rss() - before) / 2 ** 20;
    assert.ok(grownMb < 150, `${grownMb} MB`);
  });
});
