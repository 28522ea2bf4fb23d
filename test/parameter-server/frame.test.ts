import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeFrame, FrameError, FrameReader, type Frame } from '../../src/parameter-server/frame.js';

const frame = fc.record({
  type: fc.nat(255),
  request: fc.nat(0xffffffff),
  head: fc.jsonValue({ maxDepth: 2 }),
  numbers: fc.float32Array({ maxLength: 40 }),
});
const roomy = () => 1_000_000;
const plain: Frame = { type: 2, request: 7, head: { clock: 3 }, numbers: Float32Array.of(1.5, -2) };

function read(pieces: readonly Buffer[], maxBytes = roomy): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader(maxBytes);
  for (const piece of pieces) reader.push(piece, (each) => frames.push(each));
  return frames;
}

/** Divides bytes at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

describe('a frame', () => {
  it('is read as it was written, however the socket divides it', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (frames, places) => {
          const bytes = Buffer.concat(frames.flatMap((each) => encodeFrame(each)));
          const expected = frames.map((each) => {
            return { ...each, head: JSON.parse(JSON.stringify(each.head)) as unknown };
          });
          assert.deepEqual(read(cut(bytes, places)), expected);
        },
      ),
    );
  });

  it('is written without a copy of its numbers', () => {
    const [, bytes] = encodeFrame(plain);
    assert.equal(bytes.buffer, plain.numbers.buffer);
  });

  it('is refused with any bit of it flipped', () => {
    const whole = Buffer.concat(encodeFrame(plain));
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const place = bit >> 3;
      // What kind of frame it is and whom it answers is not part of the checksum: that is for the protocol to judge.
      if (place === 4 || (place >= 8 && place < 12)) continue;
      const flipped = Buffer.from(whole);
      flipped[place] ^= 1 << (bit & 7);
      let frames: Frame[] = [];
      try {
        frames = read([flipped]);
      } catch (error) {
        assert.ok(error instanceof FrameError, String(error));
      }
      assert.deepEqual(frames, [], `bit ${bit}`);
    }
  });

  it('is refused for its size before it has come', () => {
    const [front] = encodeFrame(plain);
    assert.throws(() => read([front.subarray(0, 16)], () => 10), /it has \d+ bytes, and 10 are allowed/);
  });

  it('says when a part of it is missing', () => {
    const bytes = Buffer.concat(encodeFrame(plain));
    const reader = new FrameReader(roomy);
    assert.equal(reader.isWithin, false);
    reader.push(bytes.subarray(0, 3), () => assert.fail());
    assert.equal(reader.isWithin, true);
    reader.push(bytes.subarray(3, -1), () => assert.fail());
    assert.equal(reader.isWithin, true);
    reader.push(bytes.subarray(-1), () => {});
    assert.equal(reader.isWithin, false);
  });

  it('of random bytes is refused, and never more than that', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 4 }), (pieces) => {
        try {
          read(pieces.map((piece) => Buffer.from(piece)));
        } catch (error) {
          assert.ok(error instanceof FrameError, String(error));
        }
      }),
    );
  });

  it('has no head that is longer than its place for the length', () => {
    assert.throws(() => encodeFrame({ ...plain, head: 'x'.repeat(70_000) }), RangeError);
  });
});
