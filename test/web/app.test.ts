import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { MillraceError } from '../../src/errors.js';
import type { HealthReport } from '../../src/telemetry/health.js';
import { pairPredictor, postPredict, running, testApp, testServer } from '../helpers/web-app.js';

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

    report = { live: true, ready: false, state: 'draining', reasons: ['The process was asked to end.'] };
    assert.equal((await fetch(`${url}/health/live`)).status, 200);
    assert.equal((await fetch(`${url}/health/ready`)).status, 503);

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
    const answer = await postPredict(url, {
      rows: [{ y: 2, id: 7, x: 1, more: { a: [] } }, { x: 1 }, { x: 2, y: { z: 1 } }],
    });
    assert.equal(answer.status, 200);
    const { results } = (await answer.json()) as { results: { error?: { code: string } }[] };
    assert.deepEqual(results[0], {
      value: {
        id: 7,
        prediction: [3, -1],
        predicted_index: 0,
        predicted_label: 'sum',
        model: 'pairs',
        model_version: 3,
      },
    });
    assert.deepEqual(
      results.slice(1).map(({ error }) => error?.code),
      ['MILLRACE_ROW_COLUMN_MISSING', 'MILLRACE_ROW_UNDECODABLE'],
    );
  });

  it('writes a prediction as the stream does, to the byte', async (t) => {
    const predictor = pairPredictor();
    const { url } = await testServer(t, { predictor: () => predictor });
    const rows = [{ id: 7, x: 0.1, y: 0.2 }];
    const [value] = await predictor.predict(rows);
    const answer = await postPredict(url, { rows });
    assert.equal(await answer.text(), JSON.stringify({ results: [{ value }] }));
  });

  it('tells about the model', async (t) => {
    const { url } = await testServer(t);
    const model = (await (await fetch(`${url}/model`)).json()) as Record<string, unknown>;
    assert.equal(model.name, 'pairs');
    assert.deepEqual(model.vocabulary, ['sum', 'difference']);
    assert.deepEqual((model.schema as { features: string[] }).features, ['x', 'y']);
  });

  it('is not ready to predict while no model is loaded', async (t) => {
    const { url, log } = await testServer(t, { predictor: () => undefined, modelInfo: () => undefined });
    for (const answer of [await postPredict(url, { rows: [{}] }), await fetch(`${url}/model`)]) {
      assert.equal(answer.status, 503);
      assert.equal(((await answer.json()) as { code: string }).code, 'MILLRACE_NOT_READY');
    }
    assert.deepEqual(
      log.filter(({ level }) => level >= 50),
      [],
    );
  });

  it('has no routes for parts that it was not given', async () => {
    const { app } = testApp({ predictor: undefined, modelInfo: undefined });
    assert.equal((await app.inject({ url: '/model' })).statusCode, 404);
    assert.equal((await app.inject({ method: 'POST', url: '/predict' })).statusCode, 404);
    await app.close();
  });

  it('keeps the reason of a failure in the log', async (t) => {
    const failures = [
      new Error('secret path /srv/models'),
      new MillraceError('MILLRACE_COMPUTE_FAILED', 'The compute thread ended at /srv/models.'),
    ];
    for (const failure of failures) {
      const { url, log } = await testServer(t, {
        predictor: () => pairPredictor(() => Promise.reject(failure)),
      });
      const answer = await postPredict(url, { rows: [{ x: 1, y: 1 }] });
      assert.equal(answer.status, 500);
      const body = (await answer.json()) as { code: string; message: string };
      assert.equal(body.code, failure instanceof MillraceError ? failure.code : 'MILLRACE_INTERNAL');
      assert.doesNotMatch(JSON.stringify(body), /srv|stack|at /);
      const logged = log.find(({ msg }) => msg === 'request failed');
      assert.match(JSON.stringify(logged), /srv/);
      assert.ok(body.message.includes(String(logged?.requestId)));
    }
  });

  it('answers unknown routes and wrong methods in the form of every error', async (t) => {
    const { url } = await testServer(t);
    const unknown = await fetch(`${url}/nothing/../here?x=1`);
    assert.equal(unknown.status, 404);
    assert.equal(((await unknown.json()) as { code: string }).code, 'MILLRACE_ROUTE_UNKNOWN');

    const wrongMethod = await fetch(`${url}/predict?x=1`);
    assert.equal(wrongMethod.status, 405);
    assert.equal(wrongMethod.headers.get('allow'), 'POST');
    assert.equal(((await wrongMethod.json()) as { code: string }).code, 'MILLRACE_REQUEST_INVALID');
    assert.equal((await fetch(`${url}/health/live`, { method: 'DELETE' })).status, 405);

    // Paths that would be patterns of a route, had somebody made one of them.
    for (const pattern of ['/a*/b', '/:x(', '/*', '/:a-:b)']) {
      assert.equal((await fetch(url + pattern)).status, 404, pattern);
    }

    const badUrl = await fetch(`${url}/%zz`);
    assert.equal(badUrl.status, 400);
    assert.deepEqual(await badUrl.json(), {
      code: 'MILLRACE_REQUEST_INVALID',
      message: 'The path of the request is malformed.',
    });
  });

  it('sends headers that keep pages from using its answers, and none that names the server', async (t) => {
    const { url } = await testServer(t);
    for (const path of ['/health/live', '/model', '/unknown', '/%zz']) {
      const { headers } = await fetch(url + path);
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
      assert.equal(headers.get('cache-control'), 'no-store', path);
      assert.match(headers.get('content-security-policy')!, /default-src 'none'/, path);
      assert.equal(headers.get('server') ?? headers.get('x-powered-by'), null, path);
    }
  });

  it('logs requests without queries, bodies and headers', async (t) => {
    const { url, log } = await testServer(t, { token: 'open-sesame' });
    await postPredict(
      `${url}`,
      { rows: [{ x: 4711, y: 2 }] },
      { authorization: 'Bearer open-sesame', 'x-mark': 'mark-me' },
    );
    await fetch(`${url}/model?query=hidden`, { headers: { authorization: 'Bearer wrong-guess' } });
    const requests = log.filter(({ msg }) => msg === 'request');
    assert.deepEqual(
      requests.map(({ method, route, status }) => [method, route, status]),
      [
        ['POST', '/predict', 200],
        ['GET', '/model', 401],
      ],
    );
    assert.doesNotMatch(JSON.stringify(log), /4711|sesame|mark-me|hidden|wrong-guess/);
  });
});

describe('the documentation of the web application', () => {
  it('is a valid OpenAPI document that names every route', async (t) => {
    const { url } = await testServer(t, { token: 'open-sesame' });
    const answer = await fetch(`${url}/docs/json`);
    assert.equal(answer.status, 200);
    const document = (await answer.json()) as { paths: object; components: object };
    assert.deepEqual(await new Validator().validate(structuredClone(document)), { valid: true });
    assert.deepEqual(Object.keys(document.paths).sort(), [
      '/health/live',
      '/health/ready',
      '/metrics',
      '/model',
      '/predict',
    ]);
  });

  it('is a page that loads only files of this server', async (t) => {
    const { url } = await testServer(t);
    const page = await fetch(`${url}/docs`);
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-type')!, /text\/html/);
    assert.match(page.headers.get('content-security-policy')!, /default-src 'self'/);
    const html = await page.text();
    const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]);
    assert.ok(links.length > 0);
    for (const link of links) {
      const target = new URL(link, page.url);
      assert.equal(target.origin, url);
      assert.equal((await fetch(target)).status, 200, link);
    }
    const initializer = await (await fetch(`${url}/docs/static/swagger-initializer.js`)).text();
    assert.match(initializer, /"validatorUrl":null/);
  });
});
