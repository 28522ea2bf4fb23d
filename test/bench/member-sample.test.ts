import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSample } from '../../bench/member-sample.js';
import { ServingMetrics } from '../../src/telemetry/metrics.js';

const noGauges = {
  inFlight: () => ({ rows: 0, bytes: 0 }),
  tensors: () => Promise.resolve({ numTensors: 0, numBytes: 0 }),
};

describe('a sample of a member', () => {
  it('is what its metrics say', async () => {
    const metrics = new ServingMetrics('0.0.0', noGauges);
    metrics.answered({ rows: 7, predictions: 7, filtered: 0, skipped: 0, deadLetters: new Map() });
    metrics.stage('decode', 0.25);
    metrics.stage('produce', 1);
    metrics.stage('produce', 2);
    const sample = readSample((await metrics.render()).body);
    assert.equal(sample.rows, 7);
    assert.deepEqual(sample.stageSeconds, { decode: 0.25, transform: 0, predict: 0, encode: 0, produce: 3 });
    assert.equal(sample.deliveries, 2);
    assert.ok(sample.cpuSeconds > 0);
  });
});
