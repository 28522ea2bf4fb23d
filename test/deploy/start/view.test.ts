import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { Tally } from '../../../deploy/start/tally.js';
import { renderLine, renderSummary, renderView, type Frame } from '../../../deploy/start/view.js';

function tallyOf(numPredicted: number): Tally {
  const tally = new Tally();
  for (let row = 0; row <= numPredicted; row++) tally.sent(String(row), 's', 0);
  for (let row = 0; row < numPredicted; row++) tally.predicted(String(row), row % 4 === 0 ? 'b' : 's', 8);
  tally.deadLettered(String(numPredicted), 'MILLRACE_ROW_UNDECODABLE');
  return tally;
}

function frame(): Frame {
  return {
    model: 'collisions version 1',
    source: 'generated events',
    brokers: ['127.0.0.1:9092'],
    totals: tallyOf(2000).recent(1000),
    lag: 12,
    members: [
      { name: 'member 1', state: 'running', url: 'http://127.0.0.1:4001' },
      { name: 'member 2', state: 'starting', url: undefined },
    ],
    elapsedMs: 61_500,
    phase: 'streaming',
    history: [0, 500, 1000],
  };
}

describe('the view of a run', () => {
  it('shows counts, rates, latency, lag, accuracy, dead letters and where to look', () => {
    const text = stripVTControlCharacters(renderView(frame(), 120));
    for (const part of [
      /rows in\s+2,001/,
      /predictions\s+2,000\s+2,000\/s\s+end to end p50 8\.0 ms/,
      /dead letters\s+1\s+MILLRACE_ROW_UNDECODABLE 1/,
      /lag\s+12/,
      /accuracy\s+0\.7500/,
      /member 1\s+running\s+http:\/\/127\.0\.0\.1:4001\/health\/ready\s+\/metrics/,
      /member 2\s+starting/,
      /01:01/,
      /▁▅█/,
    ]) {
      assert.match(text, part);
    }
  });

  it('says what Ctrl-C does as long as it does something', () => {
    assert.match(renderView(frame(), 120), /Ctrl-C finishes what is in flight/);
    assert.match(renderView({ ...frame(), phase: 'draining' }, 120), /A second Ctrl-C ends at once/);
    assert.doesNotMatch(renderView({ ...frame(), phase: 'done' }, 120), /Ctrl-C/);
  });

  it('fits the width it is given', () => {
    const lines = stripVTControlCharacters(renderView(frame(), 40)).split('\n');
    assert.deepEqual(
      lines.filter((line) => line.length > 40),
      [],
    );
  });

  it('is one line without control characters where there is no terminal', () => {
    const line = renderLine(frame());
    assert.equal(line, stripVTControlCharacters(line));
    assert.doesNotMatch(line, /\n/);
    assert.match(line, /predictions 2000 \(2000\/s\)/);
  });

  it('says in the summary that the counts add up', () => {
    const text = stripVTControlCharacters(renderSummary(tallyOf(2000).whole(2), 2));
    assert.match(
      text,
      /2,001 rows in = 2,000 predictions \+ 1 dead letters:\s+every row was answered exactly once/,
    );
  });

  it('says in the summary what does not add up', () => {
    const tally = tallyOf(10);
    tally.sent('lost', undefined, 0);
    tally.predicted('3', 's', 9);
    const text = stripVTControlCharacters(renderSummary(tally.whole(1), 1));
    assert.match(text, /\+ 1 unanswered:\s+1 rows were not answered, 1 answers came twice or for no row/);
  });
});
