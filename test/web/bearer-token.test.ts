import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testServer } from '../helpers/web-app.js';

const guarded = [
  ['GET', '/model'],
  ['GET', '/metrics'],
  ['POST', '/predict'],
] as const;

function ask(url: string, method: string, authorization?: string): Promise<Response> {
  return fetch(url, {
    method,
    headers: {
      ...(authorization !== undefined && { authorization }),
      ...(method === 'POST' && { 'content-type': 'application/json' }),
    },
    body: method === 'POST' ? '{"rows":[{"x":1,"y":2}]}' : undefined,
  });
}

describe('the bearer token', () => {
  it('opens the routes that need it', async (t) => {
    const { url } = await testServer(t, { token: 'open sesame' });
    for (const [method, path] of guarded) {
      assert.equal((await ask(url + path, method, 'Bearer open sesame')).status, 200, path);
      assert.equal((await ask(url + path, method, 'bearer open sesame')).status, 200, path);
    }
  });

  it('is asked for when it is missing or wrong', async (t) => {
    const { url } = await testServer(t, { token: 'open sesame' });
    const wrong = [
      undefined,
      '',
      'Bearer ',
      'Bearer open',
      'Bearer open sesame!',
      'Basic open sesame',
      'open sesame',
    ];
    for (const [method, path] of guarded) {
      for (const authorization of wrong) {
        const answer = await ask(url + path, method, authorization);
        assert.equal(answer.status, 401, `${path} ${authorization}`);
        assert.match(answer.headers.get('www-authenticate')!, /^Bearer/);
        assert.equal(((await answer.json()) as { code: string }).code, 'MILLRACE_REQUEST_UNAUTHORIZED');
      }
    }
  });

  it('stands in the documentation of the routes that need it, so that its pages send it', async (t) => {
    const { url } = await testServer(t, { token: 'open sesame' });
    const { paths, components } = (await (await fetch(`${url}/docs/json`)).json()) as {
      paths: Record<string, Record<string, { security?: unknown }>>;
      components: { securitySchemes: Record<string, unknown> };
    };
    assert.deepEqual(components.securitySchemes, { token: { type: 'http', scheme: 'bearer' } });
    for (const [method, path] of guarded) {
      assert.deepEqual(paths[path][method.toLowerCase()].security, [{ token: [] }], path);
    }
    assert.equal(paths['/health/live']['get'].security, undefined);
  });

  it('is not asked for by health and documentation, nor when there is none', async (t) => {
    const { url } = await testServer(t, { token: 'open sesame' });
    for (const path of ['/health/live', '/health/ready', '/docs', '/docs/json']) {
      assert.equal((await fetch(url + path)).status, 200, path);
    }
    const open = await testServer(t);
    for (const [method, path] of guarded)
      assert.equal((await ask(open.url + path, method)).status, 200, path);
  });

  it('is asked for before the body is looked at', async (t) => {
    const { url } = await testServer(t, { token: 'open sesame', limits: { maxBodyBytes: 1024 } });
    const answer = await fetch(`${url}/predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"rows":[{"x":"${'1'.repeat(4096)}`,
    });
    assert.equal(answer.status, 401);
  });
});
