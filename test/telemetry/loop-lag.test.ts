import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { LoopLag } from '../../src/telemetry/loop-lag.js';

const blockedMs = 200;

/** Keeps the event loop from anything else. */
function block(): void {
  const until = performance.now() + blockedMs;
  while (performance.now() < until);
}

async function lags(registry: Registry): Promise<Record<string, number>> {
  const body = await registry.metrics();
  const values = [...body.matchAll(/^nodejs_eventloop_lag_(\w+)_seconds (\S+)$/gm)];
  return Object.fromEntries(values.map(([, part, seconds]) => [part, Number(seconds)]));
}

describe('the lag of the event loop', () => {
  it('is told of the time with work, from scrape to scrape, under the usual names', async () => {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    const usual = Object.keys(await lags(registry));
    const loopLag = new LoopLag(registry);
    assert.deepEqual(Object.keys(await lags(registry)).sort(), usual.sort());
    assert.ok(Object.values(await lags(registry)).every((seconds) => seconds === 0));

    loopLag.busy();
    let max = 0;
    while (max === 0) {
      await delay(50);
      block();
      await delay(50);
      ({ max } = await lags(registry));
    }
    assert.ok(max > 0.1, `${max} s`);
  });

  it('is not sampled without work', async () => {
    const registry = new Registry();
    new LoopLag(registry);
    await delay(50);
    block();
    await delay(50);
    assert.deepEqual(new Set(Object.values(await lags(registry))), new Set([0]));
  });
});
