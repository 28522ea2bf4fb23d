import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { bytesOfLargestBatch } from '../../../src/stream/topics/topic-facts.js';

const batchHeaderBytes = 61;

describe('the largest batch of a topic', () => {
  it('is taken also when compression makes it larger', () => {
    for (const maxMessageBytes of [1_000, 1_048_588, 16 * 1024 * 1024]) {
      const packed = gzipSync(randomBytes(bytesOfLargestBatch(maxMessageBytes)));
      assert.ok(
        batchHeaderBytes + packed.length <= maxMessageBytes,
        `${packed.length} of ${maxMessageBytes}`,
      );
    }
  });
});
