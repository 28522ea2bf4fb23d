import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { crc32c } from '../../../src/stream/client/crc32c.js';

const reference = createRequire(import.meta.url)('kafkajs/src/protocol/recordBatch/crc32C') as (
  bytes: Buffer,
) => number;

describe('the CRC-32C of bytes', () => {
  it('is that of the check value and of the examples of RFC 3720', () => {
    assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
    assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
    assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43);
    assert.equal(crc32c(Buffer.from(Array.from({ length: 32 }, (_, byte) => byte))), 0x46dd794e);
    assert.equal(crc32c(Buffer.alloc(0)), 0);
  });

  it('is the same wherever in memory they begin and end', () => {
    const bytes = fc.uint8Array({ maxLength: 100, size: 'max' });
    fc.assert(
      fc.property(bytes, fc.nat(12), (content, start) => {
        const memory = Buffer.concat([Buffer.alloc(start), content, Buffer.alloc(9, 7)]);
        const view = memory.subarray(start, start + content.length);
        assert.equal(crc32c(view), reference(view));
      }),
    );
  });
});
