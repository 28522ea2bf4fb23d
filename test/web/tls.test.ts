import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { connect as connectSocket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { compileOptions } from '../../src/config/options.js';
import { exposure, webOptions } from '../../src/web/server.js';
import { webTls, webTlsOptions } from '../../src/web/tls.js';
import { Authority } from '../helpers/certificates.js';
import { scratchFolder } from '../helpers/scratch.js';
import { missingTool } from '../helpers/tool.js';
import { testServer } from '../helpers/web-app.js';

/** A server with a certificate of this authority. */
async function tlsServer(t: TestContext, parts: Parameters<typeof testServer>[1] = {}) {
  const authority = new Authority(scratchFolder(t));
  const { certFile, keyFile } = authority.sign('server');
  const flags = { httpTlsCert: certFile, httpTlsKey: keyFile };
  const tls = webTls(compileOptions(webTlsOptions, { flags }));
  return { ...(await testServer(t, { tls, ...parts })), ca: authority.ca };
}

async function ask(url: string, options: RequestOptions, body?: string): Promise<[number, string]> {
  const asked = request(url, { agent: false, ...options });
  asked.end(body);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += chunk;
  return [answer.statusCode ?? 0, text];
}

describe('the web server with a certificate', { skip: missingTool('openssl') }, () => {
  it('speaks HTTPS, with health for everybody and the rest for those who have the token', async (t) => {
    const { url, ca } = await tlsServer(t, { token: 'sesame' });
    assert.match(url, /^https:\/\/127\.0\.0\.1:\d+$/);
    assert.equal((await ask(`${url}/health/ready`, { ca }))[0], 200);
    assert.equal((await ask(`${url}/metrics`, { ca }))[0], 401);
    const headers = { authorization: 'Bearer sesame', 'content-type': 'application/json' };
    assert.equal((await ask(`${url}/metrics`, { ca, headers }))[0], 200);
    const rows = JSON.stringify({ rows: [{ x: 1, y: 2 }] });
    const [status, answer] = await ask(`${url}/predict`, { ca, headers, method: 'POST' }, rows);
    assert.equal(status, 200);
    assert.equal((JSON.parse(answer) as { results: unknown[] }).results.length, 1);
  });

  it('is not believed by a client that does not trust its authority', async (t) => {
    const { url } = await tlsServer(t);
    await assert.rejects(ask(`${url}/health/live`, {}), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  });

  it('answers nothing without TLS, and nothing to a version before 1.2', async (t) => {
    const { url, port, ca } = await tlsServer(t);
    await assert.rejects(fetch(url.replace('https', 'http')));
    const old = connectTls({
      port,
      host: '127.0.0.1',
      ca,
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    const [error] = (await once(old, 'error')) as [Error];
    assert.match(error.message, /protocol version/);
  });

  it('ends a connection that does not finish its handshake', async (t) => {
    const { port } = await tlsServer(t, { limits: { requestTimeoutMs: 200 } });
    const socket = connectSocket(port, '127.0.0.1');
    socket.on('error', () => {});
    const startedAt = performance.now();
    await once(socket, 'close');
    assert.ok(performance.now() - startedAt < 5_000);
  });

  it('needs certificate and key together', () => {
    const tls = (flags: Record<string, string>) => webTls(compileOptions(webTlsOptions, { flags }));
    assert.equal(tls({}), undefined);
    for (const flags of [{ httpTlsCert: 'a' }, { httpTlsKey: 'a' }] as Record<string, string>[]) {
      assert.throws(() => tls(flags), /^MillraceError: Give --http-tls-cert and --http-tls-key together/);
    }
  });
});

describe('a web server that listens beyond this machine', () => {
  const warning = (flags: Record<string, string>) => exposure(compileOptions(webOptions, { flags }));

  it('says what is open to others', () => {
    assert.match(
      warning({ host: '0.0.0.0' }) ?? '',
      /anybody who reaches 0\.0\.0\.0 .*MILLRACE_HTTP_TOKEN_FILE/,
    );
    assert.match(warning({ host: '::', httpToken: 't' }) ?? '', /without encryption: give --http-tls-cert/);
  });

  it('says nothing when it has a token and TLS, or listens on loopback', () => {
    assert.equal(warning({ host: '0.0.0.0', httpToken: 't', httpTlsCert: 'c' }), undefined);
    for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) {
      assert.equal(warning({ host }), undefined);
    }
  });
});
