import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { webOptions } from '../../src/web/server.js';
import { until } from '../helpers/processes.js';
import { pairPredictor, postPredict, testServer } from '../helpers/web-app.js';

const defaultMaxBytes = webOptions.httpMaxBytes.default;

async function assertError(answer: Response, status: number, code: string): Promise<void> {
  const body = (await answer.json()) as { code: string; message: string };
  assert.deepEqual([answer.status, body.code], [status, code]);
  assert.deepEqual(Object.keys(body), ['code', 'message']);
  assert.match(body.message, /[.!?]$/);
}

/** Sends text over a socket and gives back everything that is answered until the server ends the connection. */
async function exchange(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => (answer += chunk));
  // A server that hangs up while it is still sent to may reset the connection.
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

describe('the limits of the web application', () => {
  it('refuse a body that is too large', async (t) => {
    const { url } = await testServer(t, { limits: { maxBodyBytes: 2000 } });
    const large = { rows: [{ x: 'a'.repeat(3000) }] };
    await assertError(await postPredict(url, large), 413, 'MILLRACE_REQUEST_TOO_LARGE');
  });

  it('refuse a body of unknown length once it is too large', async (t) => {
    const { port } = await testServer(t, { limits: { maxBodyBytes: 2000 } });
    const chunk = `BB8\r\n${' '.repeat(3000)}\r\n`;
    const answer = await exchange(
      port,
      `POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${chunk}`,
    );
    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.match(answer, /MILLRACE_REQUEST_TOO_LARGE/);
  });

  it('refuse too many rows, and no rows', async (t) => {
    const { url } = await testServer(t, { limits: { maxRows: 3 } });
    const rows = (count: number) => ({ rows: Array.from({ length: count }, () => ({ x: 1, y: 1 })) });
    assert.equal((await postPredict(url, rows(3))).status, 200);
    await assertError(await postPredict(url, rows(4)), 413, 'MILLRACE_REQUEST_TOO_LARGE');
    await assertError(await postPredict(url, rows(0)), 400, 'MILLRACE_REQUEST_INVALID');
  });

  it('refuse headers that are too large', async (t) => {
    const { port } = await testServer(t);
    const answer = await exchange(
      port,
      `GET /health/live HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 431 /);
    assert.match(answer, /MILLRACE_REQUEST_TOO_LARGE/);
  });

  it('refuse what is not HTTP', async (t) => {
    const { port } = await testServer(t);
    const answer = await exchange(port, 'hello\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.match(answer, /MILLRACE_REQUEST_INVALID/);
  });

  it('end a request whose body does not come', async (t) => {
    const { port } = await testServer(t, { limits: { requestTimeoutMs: 200 } });
    const startedMs = performance.now();
    const answer = await exchange(
      port,
      'POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"rows":',
    );
    assert.match(answer, /^HTTP\/1\.1 408 /);
    assert.match(answer, /MILLRACE_REQUEST_TIMEOUT/);
    assert.ok(performance.now() - startedMs < 3000);
  });

  it('end a request whose headers do not come', async (t) => {
    const { port } = await testServer(t, { limits: { requestTimeoutMs: 200 } });
    const answer = await exchange(port, 'GET /health/live HTTP/1.1\r\nhost: x\r\n');
    assert.match(answer, /^HTTP\/1\.1 408 /);
  });

  it('end a prediction that takes too long', async (t) => {
    const { url } = await testServer(t, {
      limits: { requestTimeoutMs: 200 },
      predictor: () => pairPredictor(() => new Promise(() => {})),
    });
    await assertError(await postPredict(url, { rows: [{ x: 1, y: 1 }] }), 503, 'MILLRACE_REQUEST_TIMEOUT');
  });

  it('end a connection on which nothing is sent', async (t) => {
    const { port } = await testServer(t, { limits: { requestTimeoutMs: 200 } });
    const startedMs = performance.now();
    assert.match(await exchange(port, ''), /^(HTTP\/1\.1 408 |$)/);
    assert.ok(performance.now() - startedMs < 5000);
  });

  it('cut off a client that does not read its answer', async (t) => {
    const { port, app } = await testServer(t, {
      limits: { requestTimeoutMs: 300 },
      metrics: () => Promise.resolve({ contentType: 'text/plain', body: 'x'.repeat(50_000_000) }),
    });
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket, 'readable');
    // From here on nothing is read.
    await until(async () => (await promisify(app.server.getConnections.bind(app.server))()) === 0, 'the end');
    socket.destroy();
  });

  it('let a client that reads take as long an answer as it wants', async (t) => {
    const { url } = await testServer(t, {
      metrics: () => Promise.resolve({ contentType: 'text/plain', body: 'x'.repeat(50_000_000) }),
    });
    assert.equal((await (await fetch(`${url}/metrics`)).text()).length, 50_000_000);
  });

  it('put off bodies that would be too large together, and take them later', async (t) => {
    const { url, port } = await testServer(t, { limits: { maxBodyBytes: 100_000 } });
    const begin = 'POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
    const sockets = Array.from({ length: 16 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    for (const socket of sockets) socket.write(`${begin}content-length: 100000\r\n\r\n{`);
    const row = { rows: [{ x: 1, y: 1 }] };
    await until(async () => (await postPredict(url, row)).status === 429, 'the server to be full');
    const refused = await postPredict(url, row);
    assert.equal(refused.headers.get('retry-after'), '1');
    await assertError(refused, 429, 'MILLRACE_REQUEST_LIMITED');
    assert.equal((await fetch(`${url}/health/live`)).status, 200);
    for (const socket of sockets) socket.destroy();
    await until(async () => (await postPredict(url, row)).status === 200, 'the server to have room');
  });

  it('refuse a path that is too long', async (t) => {
    const { port } = await testServer(t);
    const answer = await exchange(port, `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 431 /);
  });

  it('count every request that is sent without waiting for answers', async (t) => {
    const { port } = await testServer(t, { limits: { maxRequestsPerMinute: 3 } });
    const ask = 'GET /model HTTP/1.1\r\nhost: x\r\n\r\n';
    const answer = await exchange(
      port,
      ask.repeat(500) + ask.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'),
    );
    const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status);
    assert.equal(statuses.length, 501);
    assert.ok(statuses.filter((status) => status === '429').length >= 498);
  });

  it('refuse a client that asks too often, but never health', async (t) => {
    const { url } = await testServer(t, { limits: { maxRequestsPerMinute: 3 } });
    for (const path of ['/model', '/metrics', '/docs/json']) {
      assert.equal((await fetch(url + path)).status, 200);
    }
    const refused = await postPredict(url, { rows: [{ x: 1, y: 1 }] });
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    await assertError(refused, 429, 'MILLRACE_REQUEST_LIMITED');
    for (let i = 0; i < 5; i++) assert.equal((await fetch(`${url}/health/live`)).status, 200);
  });

  it('refuse a client that guesses the token too often', async (t) => {
    const { url } = await testServer(t, { limits: { maxRequestsPerMinute: 3 }, token: 'sesame' });
    const ask = (token: string) => fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
    const codes: number[] = [];
    for (const token of ['a', 'b', 'c', 'sesame']) codes.push((await ask(token)).status);
    assert.deepEqual(codes, [401, 401, 401, 429]);
  });

  it('refuse a client that guesses routes too often', async (t) => {
    const { url } = await testServer(t, { limits: { maxRequestsPerMinute: 2 } });
    const codes: number[] = [];
    for (let i = 0; i < 3; i++) codes.push((await fetch(`${url}/guess${i}`)).status);
    assert.deepEqual(codes, [404, 404, 429]);
  });
});

describe('the body of a request to predict', () => {
  it('is refused when it is not JSON of its shape', async (t) => {
    const { url } = await testServer(t);
    const bodies = [
      '',
      '{',
      'null',
      '[]',
      '{}',
      '{"rows":{}}',
      '{"rows":[1]}',
      '{"rows":[{}],"more":1}',
      '{"rows":[[]]}',
    ];
    for (const body of bodies) {
      await assertError(await postPredict(url, body), 400, 'MILLRACE_REQUEST_INVALID');
    }
  });

  it('is refused when it is of another type', async (t) => {
    const { url } = await testServer(t);
    for (const type of ['text/plain', 'application/xml', 'multipart/form-data', 'nonsense']) {
      const answer = await postPredict(url, { rows: [{ x: 1, y: 1 }] }, { 'content-type': type });
      await assertError(answer, 415, 'MILLRACE_REQUEST_INVALID');
    }
  });

  it('is refused when it is compressed, whatever it would be unpacked', async (t) => {
    const { url } = await testServer(t);
    for (const encoding of ['gzip', 'br', 'deflate', 'gzip, identity']) {
      const answer = await fetch(`${url}/predict`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-encoding': encoding },
        body: gzipSync(JSON.stringify({ rows: [{ x: 1, y: 1 }] })),
      });
      assert.equal(answer.headers.get('accept-encoding'), 'identity');
      await assertError(answer, 415, 'MILLRACE_REQUEST_INVALID');
    }
    const plain = await postPredict(url, { rows: [{ x: 1, y: 1 }] }, { 'content-encoding': 'identity' });
    assert.equal(plain.status, 200);
  });

  it('is refused when it reaches for a prototype', async (t) => {
    const { url } = await testServer(t);
    const bodies = [
      '{"rows":[{"__proto__":{"polluted":1}}]}',
      '{"__proto__":{"rows":[{}]}}',
      '{"rows":[{"constructor":{"prototype":{"polluted":1}}}]}',
      '{"rows":[{"\\u005f_proto__":{"polluted":1}}]}',
    ];
    for (const body of bodies) {
      await assertError(await postPredict(url, body), 400, 'MILLRACE_REQUEST_INVALID');
    }
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });

  it('may be deep, and have many fields, without harm', async (t) => {
    const { url } = await testServer(t, { limits: { maxBodyBytes: defaultMaxBytes } });
    const deep = '['.repeat(9_000) + ']'.repeat(9_000);
    const fields = Array.from({ length: 100_000 }, (_, index) => `"f${index}":1`).join();
    for (const x of [deep, `{${fields}}`]) {
      const answer = await postPredict(url, `{"rows":[{"x":${x},"y":1}]}`);
      assert.equal(answer.status, 200);
      const { results } = (await answer.json()) as { results: { error: { code: string } }[] };
      assert.equal(results[0].error.code, 'MILLRACE_ROW_UNDECODABLE');
    }
    const wide = await postPredict(url, `{"rows":[{"x":1,"y":1,${fields}}]}`);
    assert.equal(wide.status, 200);
  });

  it('is refused before it is parsed when it is made of brackets', async (t) => {
    const { url } = await testServer(t, { limits: { maxBodyBytes: defaultMaxBytes } });
    for (const brackets of [
      '['.repeat(4_000_000) + ']'.repeat(4_000_000),
      `[${'{},'.repeat(2_000_000)}{}]`,
    ]) {
      const startedMs = performance.now();
      const answer = await postPredict(url, `{"rows":[{"x":${brackets},"y":1}]}`);
      await assertError(answer, 413, 'MILLRACE_REQUEST_TOO_LARGE');
      assert.ok(performance.now() - startedMs < 1_000, String(performance.now() - startedMs));
    }
  });

  it('may have as many brackets in its text as it wants', async (t) => {
    const { url } = await testServer(t, { limits: { maxBodyBytes: defaultMaxBytes } });
    const text = JSON.stringify(`"[{\\${'[{'.repeat(100_000)}"`);
    const answer = await postPredict(url, `{"rows":[{"x":1,"y":1,"note":${text}}]}`);
    assert.equal(answer.status, 200);
  });
});
