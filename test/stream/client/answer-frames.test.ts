import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AnswerFrames } from '../../../src/stream/client/answer-frames.js';

const framed = (answer: Uint8Array) => {
  const length = Buffer.alloc(4);
  length.writeInt32BE(answer.length);
  return Buffer.concat([length, answer]);
};

describe('the answers of a broker', () => {
  it('are whole and in order, however they are cut', () => {
    const answers = fc.array(fc.uint8Array({ minLength: 4, maxLength: 40, size: 'max' }), { maxLength: 6 });
    fc.assert(
      fc.property(answers, fc.array(fc.integer({ min: 1, max: 50 })), (given, cuts) => {
        const bytes = Buffer.concat(given.map(framed));
        const frames = new AnswerFrames();
        const found: Buffer[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          const piece = Buffer.from(bytes.subarray(at, at + cut));
          assert.equal(
            frames.push(piece, (answer) => found.push(Buffer.from(answer))),
            undefined,
          );
          // What was handed over in pieces is not touched by what comes after.
          piece.fill(0xff);
          at += piece.length;
        }
        assert.deepEqual(
          found,
          given.map((answer) => Buffer.from(answer)),
        );
        assert.equal(frames.isWithin, false);
      }),
      { numRuns: 500 },
    );
  });

  it('are being waited for from the first byte of a length on', () => {
    const frames = new AnswerFrames();
    const found: Buffer[] = [];
    const push = (...bytes: number[]) => frames.push(Buffer.from(bytes), (answer) => found.push(answer));
    push(0);
    assert.equal(frames.isWithin, true);
    push(0, 0, 5);
    push(1, 2, 3, 4);
    assert.equal(frames.isWithin, true);
    push(5);
    assert.equal(frames.isWithin, false);
    assert.deepEqual(found, [Buffer.from([1, 2, 3, 4, 5])]);
  });

  it('are not what begins with a length that no answer has', () => {
    for (const text of ['HTTP/1.1 400 Bad Request', '\xff\xff\xff\xff', '\0\0\0\x03abc']) {
      const bytes = Buffer.from(text, 'latin1');
      assert.deepEqual(
        new AnswerFrames().push(bytes, () => assert.fail()),
        bytes,
      );
      const frames = new AnswerFrames();
      frames.push(bytes.subarray(0, 2), () => assert.fail());
      assert.deepEqual(
        frames.push(bytes.subarray(2), () => assert.fail()),
        bytes,
      );
    }
  });
});
