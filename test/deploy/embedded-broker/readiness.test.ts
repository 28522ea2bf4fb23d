import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { freePorts } from '../../../deploy/embedded-broker/free-ports.js';
import { brokerAnswers } from '../../../deploy/embedded-broker/readiness.js';

/** The port of a server that does this with each connection. */
async function serve(t: TestContext, handle: (socket: Socket) => void): Promise<number> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A Metadata response with so many brokers, cut after their number. */
const answer = (numBrokers: number) =>
  Buffer.from([...[0, 0, 0, 99], ...[0, 0, 0, 1], ...[0, 0, 0, 0], 0, 0, 0, numBrokers]);

describe('a broker', () => {
  it('is ready when it knows a broker of its cluster, even if it says so in parts', async (t) => {
    const port = await serve(t, (socket) => {
      socket.on('data', () => {
        socket.write(answer(1).subarray(0, 13));
        // After the first part has been read, as far as that can be told from here.
        setTimeout(() => socket.write(answer(1).subarray(13)), 20);
      });
    });
    assert.equal(await brokerAnswers(port), true);
  });

  it('is asked by a request that is as long as it says', async (t) => {
    let asked = Buffer.alloc(0);
    const port = await serve(t, (socket) => {
      socket.on('data', (chunk) => {
        asked = chunk;
        socket.end(answer(1));
      });
    });
    await brokerAnswers(port);
    assert.equal(asked.readInt32BE(0), asked.length - 4);
    assert.deepEqual([asked.readInt16BE(4), asked.readInt16BE(6)], [3, 4]);
  });

  it('is not ready while it is alone with an empty cluster, hangs up, or is not there', async (t) => {
    assert.equal(await brokerAnswers(await serve(t, (socket) => socket.end(answer(0)))), false);
    assert.equal(await brokerAnswers(await serve(t, (socket) => socket.destroy())), false);
    const [port] = await freePorts(1);
    assert.equal(await brokerAnswers(port), false);
  });
});

describe('free ports', () => {
  it('are all different and can be listened on', async () => {
    const ports = await freePorts(4);
    assert.equal(new Set(ports).size, 4);
    const server = createServer().listen(ports[0], '127.0.0.1');
    await once(server, 'listening');
    server.close();
  });
});
