import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FullLoad, Load } from '../../../bench/delivery/full-load.js';
import { fullRateOf, peerName, stageSection, throughputSection } from '../../../bench/serve/throughput.js';

function load(rowsPerSecond: number): Load {
  return { rowsPerSecond, cpuMicrosPerRow: 40, busyCores: 1.9 };
}
function fullLoad(rowsPerSecond: number): FullLoad {
  return {
    ...load(rowsPerSecond),
    delivery: 'exactly-once',
    deliveriesPerSecond: 10,
    rowsPerDelivery: 2_000,
    stageLoad: { decode: 0.1, transform: 0.2, predict: 1.5, encode: 0.3, produce: 3 },
  };
}

const one = {
  title: 'JSON',
  rounds: new Map<string, readonly (Load | FullLoad)[]>([
    ['exactly-once', [40_000, 30_000, 36_000].map(fullLoad)],
    ['at-least-once', [40_000, 40_000, 40_000].map(fullLoad)],
    [peerName, [20_000, 10_000, 30_000].map(load)],
  ]),
};

describe('the report on throughput', () => {
  it('compares exactly once with the others of the same round', () => {
    const { table } = throughputSection([one], '');
    assert.deepEqual(table!.map((row) => row.slice(1, 6)).slice(1), [
      ['exactly once', '36,000', '(30,000-40,000)', '', ''],
      ['at least once', '40,000', '(40,000-40,000)', '0.90', '(0.75-1.00)'],
      ['Python, at least once', '20,000', '(10,000-30,000)', '2.00', '(1.20-3.00)'],
    ]);
  });

  it('has a bar for each of them', () => {
    const { chart } = throughputSection([one], '');
    assert.deepEqual(
      chart!.groups.map(({ label, bars }) => [label, bars.map(({ kind, spread }) => [kind, spread.median])]),
      [
        [
          'JSON',
          [
            ['millrace', 36_000],
            ['variant', 40_000],
            ['peer', 20_000],
          ],
        ],
      ],
    );
  });

  it('shows the stages and the rate of exactly once', () => {
    assert.deepEqual(stageSection([one]).table![1], ['JSON', '0.10', '0.20', '1.50', '0.30', '3.00']);
    assert.equal(fullRateOf(one), 36_000);
  });
});
