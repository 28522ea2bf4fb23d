import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Histogram, Registry } from 'prom-client';
import { RowHistogram } from '../../src/telemetry/row-histogram.js';

describe('RowHistogram', () => {
  it('is scraped as the histogram of prom-client that observed the same', async () => {
    const options = { name: 'seconds', help: 'How long it took', buckets: [0.1, 0.5, 2] };
    const [ours, theirs] = [new Registry(), new Registry()];
    const histogram = new RowHistogram(ours, options);
    const oracle = new Histogram({ ...options, registers: [theirs] });
    assert.equal(await ours.metrics(), await theirs.metrics());
    for (const value of [0, 0.1, 0.10001, 0.5, 1.75, 2, 2.5, 1e9, 0.1, 0.3]) {
      histogram.observe(value);
      oracle.observe(value);
    }
    assert.equal(await ours.metrics(), await theirs.metrics());
  });
});
