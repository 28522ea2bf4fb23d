import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fullLoadBetween, steadySamples } from '../../../bench/delivery/full-load.js';
import type { MemberSample } from '../../../bench/member-sample.js';

function sample(atMs: number, rows: number, scale = 0): MemberSample {
  const stageSeconds = {
    decode: 1 * scale,
    transform: 2 * scale,
    predict: 3 * scale,
    encode: 4 * scale,
    produce: 5 * scale,
  };
  return {
    atMs,
    rows,
    cpuSeconds: 6 * scale,
    machineCpuSeconds: 7 * scale,
    deliveries: 10 * scale,
    stageSeconds,
  };
}

describe('the steady part of a full load', () => {
  it('goes from a tenth of the rows to nearly all of them', () => {
    const samples = [0, 90, 110, 500, 940, 960, 1000].map((rows, index) => sample(index, rows));
    const [first, last] = steadySamples(samples, 1000);
    assert.deepEqual([first.rows, last.rows], [110, 960]);
  });

  it('is refused when all rows were done between two samples', () => {
    assert.throws(() => steadySamples([sample(0, 0), sample(1, 1000)], 1000), {
      code: 'MILLRACE_CONFIG_INVALID',
    });
  });

  it('counts what was done in it, not what was done before', () => {
    const load = fullLoadBetween(sample(10_000, 1_000, 1), sample(14_000, 9_000, 3));
    assert.deepEqual(load, {
      rowsPerSecond: 2_000,
      cpuMicrosPerRow: 1_500,
      busyCores: 3.5,
      deliveriesPerSecond: 5,
      rowsPerDelivery: 400,
      stageLoad: { decode: 0.5, transform: 1, predict: 1.5, encode: 2, produce: 2.5 },
    });
  });
});
