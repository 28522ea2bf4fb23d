import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { ServingMetrics } from '../../src/telemetry/metrics.js';
import { missingTool } from '../helpers/tool.js';

const gauges = {
  inFlight: () => ({ rows: 3, bytes: 400 }),
  tensors: () => Promise.resolve({ numTensors: 6, numBytes: 128 }),
};

function exercised(): ServingMetrics {
  const metrics = new ServingMetrics('1.2.3', gauges);
  metrics.serves('higgs', 4, 'native');
  metrics.batch(512);
  for (const stage of ['decode', 'transform', 'predict', 'encode', 'produce'] as const)
    metrics.stage(stage, 0.01);
  metrics.latency(0.2);
  metrics.rebalance();
  metrics.lag('observations', 2, 17);
  metrics.answered({
    rows: 10,
    predictions: 5,
    filtered: 2,
    skipped: 1,
    deadLetters: new Map([['MILLRACE_ROW_EMPTY', 2]]),
  });
  return metrics;
}

describe('the metrics of a serving member', () => {
  it('count rows by how they ended, dead letters by their code', async () => {
    const { body, contentType } = await exercised().render();
    assert.match(contentType, /^text\/plain/);
    for (const line of [
      'millrace_rows_total 10',
      'millrace_predictions_total 5',
      'millrace_rows_filtered_total 2',
      'millrace_rows_skipped_total 1',
      'millrace_dead_letters_total{code="MILLRACE_ROW_EMPTY"} 2',
      'millrace_dead_letters_total{code="MILLRACE_ROW_TOO_LARGE"} 0',
      'millrace_batch_rows_sum 512',
      'millrace_stage_duration_seconds_count{stage="encode"} 1',
      'millrace_end_to_end_latency_seconds_sum 0.2',
      'millrace_consumer_lag{topic="observations",partition="2"} 17',
      'millrace_rebalances_total 1',
      'millrace_in_flight_rows 3',
      'millrace_in_flight_bytes 400',
      'millrace_model_info{name="higgs",version="4",backend="native"} 1',
    ]) {
      assert.ok(body.split('\n').includes(line), line);
    }
    assert.match(body, /millrace_build_info\{version="1\.2\.3",node="v\d+\.[^"]*"\} 1/);
    assert.match(body, /nodejs_eventloop_lag_p99_seconds/);
    assert.match(body, /process_resident_memory_bytes/);
  });

  it('report the tensors as of the scrape before, and never wait for them', async () => {
    const metrics = exercised();
    await metrics.render();
    assert.match((await metrics.render()).body, /^millrace_tensors 6$/m);
    const stuck = new ServingMetrics('1.2.3', { ...gauges, tensors: () => new Promise(() => {}) });
    assert.match((await stuck.render()).body, /^millrace_tensors 0$/m);
  });

  it('forget the lag of partitions at a rebalance', async () => {
    const metrics = exercised();
    metrics.rebalance();
    assert.doesNotMatch((await metrics.render()).body, /millrace_consumer_lag\{/);
  });

  it('know one model at a time', async () => {
    const metrics = exercised();
    metrics.serves('higgs', 5, 'native');
    assert.deepEqual((await metrics.render()).body.match(/^millrace_model_info\{.*/gm), [
      'millrace_model_info{name="higgs",version="5",backend="native"} 1',
    ]);
  });

  it('pass promtool check metrics', { skip: missingTool('promtool') }, async () => {
    const { body } = await exercised().render();
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: body,
      encoding: 'utf8',
    });
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
  });
});
