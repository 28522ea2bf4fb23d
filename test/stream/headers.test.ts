import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { headerEntries, headerText } from '../../src/stream/headers.js';

describe('headers', () => {
  it('are listed with repeated ones in their order', () => {
    assert.deepEqual(
      [...headerEntries({ a: '1', b: ['2', '3'] })],
      [
        ['a', '1'],
        ['b', '2'],
        ['b', '3'],
      ],
    );
  });

  it('give the first text of a name', () => {
    const headers = { a: [Buffer.from('1'), '2'] };
    assert.equal(headerText(headers, 'a'), '1');
    assert.equal(headerText(headers, 'b'), undefined);
  });
});
