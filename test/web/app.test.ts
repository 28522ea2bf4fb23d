import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HealthReport } from '../../src/telemetry/health.js';
import { postPredict, running, testServer } from './app-fixture.js';

describe('the web application', () => {
  it('answers the life of the process with its reasons', async (t) => {
    let report: HealthReport = {
      live: true,
      ready: false,
      state: 'starting',
      reasons: ['No partition is assigned yet.'],
    };
    const { url } = await testServer(t, { health: () => report });

    const starting = await fetch(`${url}/health/ready`);
    assert.equal(starting.status, 503);
    assert.deepEqual(await starting.json(), report);
    assert.equal((await fetch(`${url}/health/live`)).status, 200);

    report = running;
    assert.equal((await fetch(`${url}/health/ready`)).status, 200);

    report = { live: false, ready: false, state: 'failed', reasons: ['The consumer ended.'] };
    assert.equal((await fetch(`${url}/health/live`)).status, 503);
    assert.equal((await fetch(`${url}/health/ready`)).status, 503);
  });

  it('gives metrics in the format that they are rendered in', async (t) => {
    const { url } = await testServer(t);
    const answer = await fetch(`${url}/metrics`);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/);
    assert.equal(await answer.text(), 'rows_total 1\n');
  });

  it('predicts rows, each with its own result', async (t) => {
    const { url } = await testServer(t);
    const answer = await postPredict(url, { rows: [{ id: 7, x: 1, y: 2 }, { x: 1 }, { x: 2, y: { z: 1 } }] });
    assert.equal(answer.status, 200);
    assert.deepEqual(await answer.json(), {
      results: [
        {
          value: {
            id: 7,
            prediction: [3],
            predicted_index: 0,
            predicted_label: 'sum',
            model: 'adder',
            model_version: 1,
          },
        },
        { error: { code: 'MILLRACE_ROW_COLUMN_MISSING', message: 'The row needs the numbers x and y.' } },
        {
          error: {
            code: 'MILLRACE_ROW_FIELD_TYPE',
            message:
              'The field "y" is not a number, text, true, false, null, an array of numbers or a sparse vector.',
          },
        },
      ],
    });
  });

  it('tells about the model', async (t) => {
    const { url } = await testServer(t);
    const model = (await (await fetch(`${url}/model`)).json()) as Record<string, unknown>;
    assert.equal(model.name, 'adder');
    assert.deepEqual(model.vocabulary, ['sum']);
    assert.deepEqual((model.schema as { features: string[] }).features, ['x', 'y']);
  });
});
