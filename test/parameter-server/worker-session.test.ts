import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { encodeFrame, FrameReader, type Frame } from '../../src/parameter-server/frame.js';
import { messageTypes, plainOffsets, readRefusal } from '../../src/parameter-server/message.js';
import { Wire } from './wire.js';

const none = new Float32Array(0);
const hello: Frame = { type: messageTypes.hello, request: 1, head: { worker: 'a' }, numbers: none };
const pull: Frame = { type: messageTypes.pull, request: 2, head: { knownClock: -1 }, numbers: none };
const commit: Frame = {
  type: messageTypes.commit,
  request: 3,
  head: plainOffsets({
    ...{ sequence: 1, baseClock: 0, pulls: false },
    ranges: [{ topic: 'rows', partition: 0, from: 0n, to: 5n }],
  }),
  numbers: Float32Array.of(1, 1),
};

const bytesOf = (...frames: readonly Frame[]) => Buffer.concat(frames.flatMap((frame) => encodeFrame(frame)));

/** Says these bytes, and reads what comes until the other side ends or has answered so often. */
async function say(stream: Duplex, bytes: Buffer, numAnswers = Infinity): Promise<Frame[]> {
  const frames: Frame[] = [];
  const reader = new FrameReader(() => 1_000_000);
  stream.write(bytes);
  for await (const data of stream.iterator({ destroyOnReturn: false })) {
    reader.push(data as Buffer, (frame) => frames.push(frame));
    if (frames.length >= numAnswers) break;
  }
  return frames;
}

/** What is refused of these bytes, by a server that answers another worker as before. */
async function refusedOf(bytes: Buffer, wire = new Wire()): Promise<string> {
  const other = await wire.client({ worker: 'other' });
  const frames = await say(await wire.connect(), bytes);
  const last = frames.at(-1)!;
  assert.equal(last.type, messageTypes.refusal);
  assert.equal((await other.pull()).clock, 0);
  other.close();
  const refusal = readRefusal(last);
  assert.deepEqual(wire.refusals, [refusal]);
  return `${refusal.code}: ${refusal.message}`;
}

describe('a session of a worker', () => {
  it('answers requests in their order, as they come', async () => {
    const wire = new Wire();
    const stream = await wire.connect();
    const answers = await say(stream, bytesOf(hello, commit, pull), 3);
    assert.deepEqual(
      answers.map(({ type, request }) => [type, request]),
      [
        [messageTypes.welcome, 1],
        [messageTypes.answer, 3],
        [messageTypes.center, 2],
      ],
    );
    assert.deepEqual(answers[2].numbers, Float32Array.of(2, 2));
    stream.destroy();
  });

  it('answers with the center variable as it was when it was asked for', async () => {
    const wire = new Wire();
    const stream = await wire.connect();
    const [, center] = await say(stream, bytesOf(hello, pull, commit), 3);
    assert.deepEqual(center.numbers, Float32Array.of(1, 1));
    assert.deepEqual(center.head, { clock: 0 });
    stream.destroy();
  });

  it('ends, and says why, when the first frame does not say who speaks', async () => {
    assert.match(
      await refusedOf(bytesOf(pull)),
      /^MILLRACE_REQUEST_INVALID: The first frame says who speaks\.$/,
    );
  });

  it('listens to nobody without the token', async () => {
    const wire = new Wire({ token: 'secret' });
    for (const token of ['secreT', '', undefined]) {
      const stream = await wire.connect();
      const frames = await say(stream, bytesOf({ ...hello, head: { worker: 'a', token } }, commit));
      assert.deepEqual(
        frames.map(readRefusal).map(({ code }) => code),
        ['MILLRACE_REQUEST_UNAUTHORIZED'],
      );
    }
    assert.equal(wire.center.clock, 0);
    assert.deepEqual(wire.joined, []);
    const stream = await wire.connect();
    const [welcome] = await say(stream, bytesOf({ ...hello, head: { worker: 'a', token: 'secret' } }), 1);
    assert.equal(welcome.type, messageTypes.welcome);
    stream.destroy();
  });

  it('lays out no memory for what is larger than a request can be', async () => {
    const large = { ...hello, head: { worker: 'a', token: 'x'.repeat(10_000) } };
    assert.match(await refusedOf(bytesOf(large)), /bytes, and 4096 are allowed/);
    const many = { ...commit, numbers: new Float32Array(40_000) };
    assert.match(await refusedOf(bytesOf(hello, many)), /bytes, and \d+ are allowed/);
  });

  it('ends at bytes that are no frame, at a damaged one, and at one that is no request', async () => {
    assert.match(
      await refusedOf(Buffer.from('GET / HTTP/1.1\r\n\r\n')),
      /^MILLRACE_REQUEST_INVALID: A frame/,
    );
    const damaged = bytesOf(commit);
    damaged[damaged.length - 1] ^= 1;
    assert.match(await refusedOf(Buffer.concat([bytesOf(hello), damaged])), /its checksum does not fit/);
    assert.match(await refusedOf(bytesOf(hello, { ...pull, type: 99 })), /type 99 is no request/);
  });

  it('acts on no message with a field that is none', async () => {
    const wrong: Frame[] = [
      { ...pull, head: null },
      { ...pull, head: { knownClock: -2 } },
      { ...commit, head: { ...(commit.head as object), ranges: 'all' } },
      {
        ...commit,
        head: { ...(commit.head as object), ranges: [{ topic: 'rows', partition: 0, from: -1, to: 3 }] },
      },
      { ...commit, head: { ...(commit.head as object), sequence: 1.5 } },
    ];
    for (const frame of wrong)
      assert.match(await refusedOf(bytesOf(hello, frame)), /A frame cannot be read: its /);
    for (const worker of ['', 7, 'x'.repeat(300)]) {
      assert.match(await refusedOf(bytesOf({ ...hello, head: { worker } })), /its worker is none/);
    }
  });

  it('ends when nothing comes, and when a frame comes byte by byte', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const wire = new Wire({ idleTimeoutMs: 1_000 });
    const silent = await wire.connect();
    t.mock.timers.tick(1_001);
    const slow = await wire.connect();
    for (const byte of bytesOf(hello)) {
      slow.write(Buffer.of(byte));
      await new Promise(setImmediate);
      t.mock.timers.tick(100);
    }
    assert.deepEqual(
      wire.refusals.map(({ code }) => code),
      ['MILLRACE_REQUEST_TIMEOUT', 'MILLRACE_REQUEST_TIMEOUT'],
    );
    assert.deepEqual(wire.joined, []);
    silent.destroy();
    slow.destroy();
  });

  it('changes nothing while the server can keep nothing, and answers pulls', async () => {
    const wire = new Wire();
    wire.readOnly = 'the disk is full.';
    assert.match(
      await refusedOf(bytesOf(hello, pull, commit), wire),
      /^MILLRACE_NOT_READY: .* the disk is full\.$/,
    );
    assert.equal(wire.center.clock, 0);
  });

  it('tells when a worker comes and when it has left', async () => {
    const wire = new Wire();
    const stream = await wire.connect();
    await say(stream, bytesOf(hello), 1);
    assert.deepEqual([wire.joined, wire.left], [['a'], []]);
    stream.end();
    stream.destroy();
    await once(stream, 'close');
    await new Promise(setImmediate);
    assert.deepEqual(wire.left, ['a']);
  });

  it('survives any bytes, and so does the center variable', async () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(hello, pull, commit).map((frame) => bytesOf(frame)),
      fc
        .record({ type: fc.nat(12), head: fc.jsonValue({ maxDepth: 3 }) })
        .map(({ type, head }) => bytesOf({ type, request: 1, head, numbers: none })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async (pieces) => {
        const wire = new Wire();
        const stream = await wire.connect();
        for (const each of pieces) stream.write(each);
        await new Promise(setImmediate);
        stream.destroy();
        const other = await wire.client({ worker: 'other' });
        const { weights } = await other.pull();
        assert.ok([1, 2].includes(weights![0]));
        other.close();
      }),
      { numRuns: 60 },
    );
  });
});
