import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { testApp } from '../helpers/web-app.js';

const names = fc.oneof(
  fc.constantFrom(
    'x',
    'y',
    'id',
    'rows',
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
  ),
  fc.string(),
);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.double(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom(1e308, -0, 1e-320, 2 ** 53),
    fc.array(tie('value'), { maxLength: 4 }),
    // Text keys are written as they are, so that __proto__ is a field of the JSON.
    fc.array(fc.tuple(names, tie('value')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
})).value;
const row = fc.dictionary(names, json, { maxKeys: 5, noNullPrototype: false });
const bodies = fc.oneof(
  fc.array(row, { maxLength: 5 }).map((rows) => JSON.stringify({ rows })),
  json.map((value) => JSON.stringify(value)),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
);

describe('POST /predict', () => {
  it('answers any body with 200 or 4xx in its one form, and changes nothing else', async () => {
    const { app, log } = testApp();
    const before = Object.getOwnPropertyNames(Object.prototype).join();
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        const answer = await app.inject({
          method: 'POST',
          url: '/predict',
          headers: { 'content-type': 'application/json' },
          payload: body,
        });
        const parsed = answer.json<Record<string, unknown>>();
        if (answer.statusCode === 200) assert.deepEqual(Object.keys(parsed), ['results']);
        else {
          assert.ok(answer.statusCode >= 400 && answer.statusCode < 500, String(answer.statusCode));
          assert.deepEqual(Object.keys(parsed), ['code', 'message']);
        }
      }),
      { numRuns: 500 },
    );
    assert.equal(Object.getOwnPropertyNames(Object.prototype).join(), before);
    assert.deepEqual(
      log.filter(({ level }) => level >= 50),
      [],
    );
    await app.close();
  });
});
