import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { compileOptions } from '../../src/config/options.js';
import { MillraceError } from '../../src/errors.js';
import { listen, webLimits, webOptions } from '../../src/web/server.js';
import { pairPredictor, postPredict, testApp, testServer } from '../helpers/web-app.js';

function promiseWithResolvers<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}

describe('listen', () => {
  it('reports the address that it really has', async (t) => {
    const { url, port } = await testServer(t);
    assert.equal(url, `http://127.0.0.1:${port}`);
    assert.ok(port > 0);
    const everywhere = await listen(testApp().app, { host: '0.0.0.0', port: 0 });
    t.after(() => everywhere.close());
    assert.equal((await fetch(`${everywhere.url}/health/live`)).status, 200);
  });

  it('says what to do when the port is in use', async (t) => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo;
    await assert.rejects(
      listen(testApp().app, { host: '127.0.0.1', port }),
      (error: MillraceError) =>
        error instanceof MillraceError &&
        error.code === 'MILLRACE_CONFIG_INVALID' &&
        error.message ===
          `Port ${port} of 127.0.0.1 is in use; give another one with --port, or 0 for any free one.`,
    );
  });

  it('says what to do when the address is not of this machine', async () => {
    await assert.rejects(listen(testApp().app, { host: '192.0.2.1', port: 0 }), {
      code: 'MILLRACE_CONFIG_INVALID',
      message: 'The address 192.0.2.1 is not one of this machine; give another one with --host.',
    });
  });

  it('finishes requests under way when it closes, and takes no new ones', async (t) => {
    const started = promiseWithResolvers<void>();
    const answer = promiseWithResolvers<Float32Array>();
    const server = await testServer(t, {
      predictor: () =>
        pairPredictor(() => {
          started.resolve();
          return answer.promise;
        }),
    });
    const underWay = postPredict(server.url, { rows: [{ x: 1, y: 1 }] });
    await started.promise;
    const closed = server.close();
    await assert.rejects(fetch(`${server.url}/health/live`));
    answer.resolve(new Float32Array(2));
    assert.equal((await underWay).status, 200);
    await closed;
  });

  it('cuts off requests that do not finish in time when it closes', async () => {
    const started = promiseWithResolvers<void>();
    const { app } = testApp({
      predictor: () =>
        pairPredictor(() => {
          started.resolve();
          return new Promise(() => {});
        }),
    });
    const server = await listen(app, { host: '127.0.0.1', port: 0, closeTimeoutMs: 50 });
    const cutOff = assert.rejects(postPredict(server.url, { rows: [{ x: 1, y: 1 }] }));
    await started.promise;
    await server.close();
    await cutOff;
  });
});

describe('the options of the web server', () => {
  it('keep to loopback and have limits unless told otherwise', () => {
    const options = compileOptions(webOptions, {});
    assert.equal(options.host, '127.0.0.1');
    assert.equal(options.httpToken, undefined);
    for (const limit of Object.values(webLimits(options))) assert.ok(limit > 0);
  });
});
