import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { metricValues } from '../../../bench/member-sample.js';
import { runCommand } from '../../../deploy/bootstrap/command.mjs';
import { packageRoot } from '../../../src/config/package-root.js';

const moduleUrl = (path: string) => pathToFileURL(join(packageRoot, 'dist', path)).href;
const program = `
  const { ServingMetrics } = await import('${moduleUrl('src/telemetry/metrics.js')}');
  const tensors = async () => ({ numTensors: 0, numBytes: 0 });
  const metrics = new ServingMetrics('0.0.0', { inFlight: () => ({ rows: 0, bytes: 0 }), tensors });
  metrics.answered({ rows: 7, predictions: 5, filtered: 0, skipped: 0, deadLetters: new Map() });
  metrics.batch(7);
  metrics.stage('decode', 1);
  metrics.latency(1);
  console.log((await metrics.render()).body);
`;

describe('a member without metrics', () => {
  it('counts rows and CPU time, and nothing else', async () => {
    const values = async (...flags: readonly string[]) =>
      metricValues(await runCommand(process.execPath, [...flags, '--input-type=module', '--eval', program]));
    const standIn = `--import=${moduleUrl('bench/overhead/without-metrics.js')}`;
    const [whole, without] = [await values(), await values(standIn)];
    assert.deepEqual([whole.get('millrace_rows_total'), without.get('millrace_rows_total')], [7, 7]);
    assert.ok(without.get('process_cpu_seconds_total')! > 0);
    const others = [
      'millrace_predictions_total',
      'millrace_batch_rows_count',
      'millrace_end_to_end_latency_seconds_count',
    ];
    assert.deepEqual(
      others.map((name) => whole.get(name)),
      [5, 1, 1],
    );
    assert.deepEqual(
      others.map((name) => without.get(name)),
      [0, 0, 0],
    );
  });
});
