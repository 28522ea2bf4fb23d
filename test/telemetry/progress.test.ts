import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it, mock } from 'node:test';
import { createProgress, describeProgress, formatQuantity } from '../../src/telemetry/progress.js';

/** A stream that keeps what is written to it at once. */
function keep(properties: object): { stream: Writable; text: () => string } {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return { stream: Object.assign(stream, properties), text: () => text };
}

describe('progress', () => {
  it('says how much is done, how fast, and how long it will take', () => {
    const options = { total: 7_000, unit: 'rows' };
    assert.equal(
      describeProgress(3_150, 0.5, options, 'loss 0.61'),
      '45 %, 3,150 of 7,000 rows, 6,300 rows/s, 1 s left, loss 0.61',
    );
    assert.equal(describeProgress(7_000, 2, options), '100 %, 7,000 of 7,000 rows, 3,500 rows/s');
    assert.equal(describeProgress(20, 10, { unit: 'rows' }), '20 rows, 2 rows/s');
    assert.equal(describeProgress(0, 0, { total: 0, unit: 'rows' }), '0 rows');
  });

  it('writes quantities as people read them', () => {
    assert.deepEqual(
      [0, 999, 1_000, 3_721_000, 5e9, 7e13].map((amount) => formatQuantity(amount, 'bytes')),
      ['0 bytes', '999 bytes', '1.0 kB', '3.7 MB', '5.0 GB', '70,000.0 GB'],
    );
    assert.equal(formatQuantity(2.25, 'rows'), '2.3 rows');
  });

  it('draws a bar on a terminal, seldom, and keeps what is logged', (t) => {
    // Time stands still: however slow the machine, the second picture is not due yet.
    const clock = mock.method(performance, 'now', () => 1_000);
    t.after(() => clock.mock.restore());
    const { stream, text } = keep({ isTTY: true, columns: 120, rows: 24 });
    const progress = createProgress(stream, { total: 10, unit: 'rows' });
    for (let i = 0; i <= 10; i++) progress.update(i);
    assert.match(text(), /░{24} 0 %, 0 of 10 rows/);
    assert.doesNotMatch(text(), /█/);
    progress.log('a line');
    progress.update(5);
    assert.match(text(), /a line\n[^]*█{12}░{12} 50 %/);
    progress.end('done');
    assert.match(text(), /done\n$/);
  });

  it('writes plain lines elsewhere, and none while nothing has gone on for long', () => {
    const { stream, text } = keep({});
    const progress = createProgress(stream, { total: 10, unit: 'rows' });
    progress.update(5);
    progress.log('a line');
    progress.end('done');
    assert.equal(text(), 'a line\ndone\n');
  });
});
