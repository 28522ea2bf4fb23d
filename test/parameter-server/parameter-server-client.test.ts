import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { describe, it } from 'node:test';
import { encodeFrame } from '../../src/parameter-server/frame.js';
import { messageTypes } from '../../src/parameter-server/message.js';
import type { WindowCommit } from '../../src/parameter-server/parameter-server-client.js';
import { Wire } from './wire.js';

const windowOf = (from: number, to: number, baseClock = 0): WindowCommit => ({
  baseClock,
  ranges: [{ topic: 'rows', partition: 0, from: BigInt(from), to: BigInt(to) }],
  residual: Float32Array.of(1, 2),
  pulls: true,
});

describe('a client of a parameter server', () => {
  it('learns at once what it trains, and pulls it once', async () => {
    const wire = new Wire();
    const client = await wire.client();
    const { algorithm, settings, numWeights, clock } = client.welcome;
    assert.deepEqual([algorithm, settings.communicationWindow, numWeights, clock], ['downpour', 5, 2, 0]);
    assert.deepEqual(await client.pull(), { clock: 0, weights: Float32Array.of(1, 1) });
    assert.deepEqual(await client.pull(0), { clock: 0, weights: undefined });
    client.close();
  });

  it('takes up partitions, at any 64-bit offset', async () => {
    const wire = new Wire();
    const client = await wire.client();
    const position = 2n ** 62n + 1n;
    assert.deepEqual(await client.begin([{ topic: 'rows', partition: 9, position }]), [
      { topic: 'rows', partition: 9, position },
    ]);
    assert.deepEqual(await client.begin([{ topic: 'rows', partition: 9, position: 0n }]), [
      { topic: 'rows', partition: 9, position },
    ]);
    client.close();
  });

  it('hears of partitions that were taken up when that is kept', async () => {
    const wire = new Wire();
    const failures = ['the disk is full', undefined];
    const begun: boolean[] = [];
    wire.begun = (isNew) => {
      begun.push(isNew);
      const reason = failures.shift();
      return reason === undefined ? Promise.resolve() : Promise.reject(new Error(reason));
    };
    const reasons: (string | undefined)[] = [];
    const client = await wire.client({ onTrouble: (reason) => reasons.push(reason) });
    await client.begin([{ topic: 'rows', partition: 9, position: 7n }]);
    assert.match(reasons[0]!, /kept at present: the disk is full/);
    assert.deepEqual(begun, [true, false]);
    client.close();
  });

  it('commits, and gets the center variable with the answer', async () => {
    const wire = new Wire();
    const client = await wire.client();
    const { answer, center } = await client.commit(windowOf(0, 5));
    assert.deepEqual(answer, { outcome: 'applied', clock: 1, staleness: 0 });
    assert.deepEqual(center, { clock: 1, weights: Float32Array.of(2, 3) });
    const refused = await client.commit(windowOf(0, 5, 1));
    assert.deepEqual(refused.answer, {
      ...{ outcome: 'refused', reason: 'position', clock: 1 },
      positions: [{ topic: 'rows', partition: 0, position: 5n }],
    });
    assert.equal(refused.center, undefined);
    client.close();
  });

  it('sends what the center was along where the rule needs it', async () => {
    const wire = new Wire({ algorithmName: 'experimental' });
    const client = await wire.client();
    const { answer } = await client.commit({ ...windowOf(0, 5), pulled: Float32Array.of(1, 1) });
    assert.equal(answer.outcome, 'applied');
    client.close();
  });

  it('asks again when the connection breaks, and nothing counts twice', async () => {
    const wire = new Wire();
    const troubles: (string | undefined)[] = [];
    const client = await wire.client({ onTrouble: (reason) => troubles.push(reason) });
    // The first commit is applied, and its answer lost.
    wire.judged = () => wire.streams[0].destroy();
    const { answer, center } = await client.commit(windowOf(0, 5));
    assert.deepEqual(answer, { outcome: 'applied', clock: 1, staleness: 0 });
    assert.deepEqual(center?.weights, Float32Array.of(2, 3));
    assert.equal(wire.center.clock, 1);
    assert.deepEqual([wire.streams.length, wire.commits.length], [2, 2]);
    assert.match(troubles[0]!, /not to be reached/);
    assert.equal(troubles.at(-1), undefined);
    client.close();
  });

  it('waits while the server is away or can keep nothing', async () => {
    const wire = new Wire();
    const reasons: string[] = [];
    const client = await wire.client({
      onTrouble: (reason) => {
        if (reason === undefined) return;
        reasons.push(reason);
        wire.away = reasons.length < 2 ? 'nobody listens' : undefined;
        wire.readOnly = undefined;
      },
    });
    wire.readOnly = 'the disk is full.';
    const { answer } = await client.commit(windowOf(0, 5));
    assert.equal(answer.outcome, 'applied');
    assert.match(reasons[0], /the disk is full/);
    assert.match(reasons[1], /not to be reached \(nobody listens\)/);
    client.close();
  });

  it('gives up after a while, and at once when it is not wanted', async () => {
    const wire = new Wire({ token: 'secret' });
    await assert.rejects(wire.client({ token: 'other' }), {
      code: 'MILLRACE_PARAMETER_SERVER_REFUSED',
      message: /The token is not that of this parameter server/,
    });
    wire.away = 'nobody listens';
    await assert.rejects(wire.client({ token: 'secret', maxOutageMs: 0 }), {
      code: 'MILLRACE_PARAMETER_SERVER_UNAVAILABLE',
      message: /nobody listens/,
    });
  });

  it('takes no answer to something else for its own', async () => {
    const wire = new Wire();
    const answers = [
      { type: messageTypes.center, request: 1, head: { clock: 0 } },
      { type: messageTypes.welcome, request: 7, head: {} },
      { type: messageTypes.welcome, request: 1, head: { algorithm: 'downpour' } },
    ];
    for (const answer of answers) {
      const connect = () => {
        const [near, far] = duplexPair();
        far.once('data', () =>
          far.write(Buffer.concat(encodeFrame({ ...answer, numbers: new Float32Array(0) }))),
        );
        return Promise.resolve(near);
      };
      await assert.rejects(wire.client({ connect, maxOutageMs: 0 }), {
        code: 'MILLRACE_PARAMETER_SERVER_UNAVAILABLE',
        message: /it answers what was not asked|its answer cannot be read/,
      });
    }
  });

  it('does not go on with another model', async () => {
    const [wire, other] = [new Wire(), new Wire({ numWeights: 3 })];
    let current = wire;
    const client = await wire.client({ connect: () => current.connect() });
    current = other;
    wire.streams[0].destroy();
    await assert.rejects(client.pull(), {
      code: 'MILLRACE_PARAMETER_SERVER_REFUSED',
      message: /downpour with 3 weights, and not downpour with 2/,
    });
  });

  it('does not wait for an answer for ever', async (t) => {
    const wire = new Wire();
    const client = await wire.client({ answerTimeoutMs: 5_000, maxOutageMs: 0 });
    t.mock.timers.enable({ apis: ['setTimeout'] });
    // The server has stopped in the middle of something.
    wire.sessions[0].end();
    const pulling = client.pull();
    await new Promise(setImmediate);
    t.mock.timers.tick(5_001);
    await assert.rejects(pulling, { code: 'MILLRACE_PARAMETER_SERVER_UNAVAILABLE' });
    client.close();
  });

  it('fails what is under way when it is closed', async () => {
    const wire = new Wire();
    const client = await wire.client();
    wire.away = 'nobody listens';
    wire.streams[0].destroy();
    const pulling = client.pull();
    await new Promise(setImmediate);
    client.close();
    await assert.rejects(pulling, { code: 'MILLRACE_PARAMETER_SERVER_UNAVAILABLE' });
  });
});
