import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addSamples, readSample, type MemberSample } from '../../bench/member-sample.js';
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

  it('adds up what several members did, and takes the machine and the time of the last', () => {
    const sample = (scale: number): MemberSample => ({
      atMs: 10 * scale,
      rows: 100 * scale,
      cpuSeconds: scale,
      machineCpuSeconds: 5 * scale,
      stageSeconds: { decode: scale, transform: 0, predict: 2 * scale, encode: 0, produce: 0 },
      deliveries: 3 * scale,
    });
    assert.deepEqual(addSamples([sample(1), sample(2)]), {
      atMs: 20,
      rows: 300,
      cpuSeconds: 3,
      machineCpuSeconds: 10,
      stageSeconds: { decode: 3, transform: 0, predict: 6, encode: 0, produce: 0 },
      deliveries: 9,
    });
  });
});
