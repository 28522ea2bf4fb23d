import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { headerEntries, headerText, readHeaders } from '../../src/stream/headers.js';

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

  it('without content become empty ones, because the client cannot write them', () => {
    const headers = readHeaders({ a: null, b: [null, Buffer.from('x')], c: Buffer.from('y') });
    assert.deepEqual(headers, {
      a: Buffer.alloc(0),
      b: [Buffer.alloc(0), Buffer.from('x')],
      c: Buffer.from('y'),
    });
    assert.deepEqual(readHeaders(undefined), {});
  });

  it('that are called as something every object has come without what the client adds', () => {
    const x = Buffer.from('x');
    const headers = readHeaders({ constructor: [Object, x], valueOf: [() => 0, x, null], c: [x, x] });
    assert.deepEqual(headers, { constructor: x, valueOf: [x, Buffer.alloc(0)], c: [x, x] });
  });
});
