import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fullLoadTable, latencyTable, throughputRatios } from '../../../bench/delivery/report.js';
import type { FullLoad } from '../../../bench/delivery/full-load.js';
import type { DeliveryName } from '../../../bench/delivery/serving-run.js';

function fullLoad(delivery: DeliveryName, rowsPerSecond: number): FullLoad {
  return {
    delivery,
    rowsPerSecond,
    cpuMicrosPerRow: 30,
    busyCores: 1.9,
    deliveriesPerSecond: 10,
    rowsPerDelivery: 2_000,
    stageLoad: { decode: 0.1, transform: 0.1, predict: 1, encode: 0.1, produce: 3 },
  };
}

const pairs = [
  [20_000, 18_000],
  [10_000, 11_000],
  [10_000, 5_000],
].map(([atLeastOnce, exactlyOnce]) => ({
  'at-least-once': fullLoad('at-least-once', atLeastOnce),
  'exactly-once': fullLoad('exactly-once', exactlyOnce),
}));

describe('the report on deliveries', () => {
  it('compares the runs of a pair, not the medians of all', () => {
    assert.deepEqual(throughputRatios(pairs), [0.9, 1.1, 0.5]);
    const table = fullLoadTable(new Map([['30-64-64-2', pairs]]));
    assert.deepEqual(table[1].slice(0, 8), [
      ...['30-64-64-2', 'at-least-once', '10,000', '(10,000-20,000)', '30.0', '1.90', '10.0', '2,000'],
    ]);
    assert.deepEqual(table[3].slice(0, 5), [
      ...['30-64-64-2', 'ratio, pair by pair', '0.900', '(0.500-1.100)', ''],
    ]);
  });

  it('shows the latencies of both', () => {
    const pair = {
      'at-least-once': { delivery: 'at-least-once', p50Ms: 9, p99Ms: 30 },
      'exactly-once': { delivery: 'exactly-once', p50Ms: 21, p99Ms: 55 },
    } as const;
    assert.deepEqual(latencyTable([pair])[2], ['exactly-once', '21', '(21-21)', '55', '(55-55)']);
  });
});
