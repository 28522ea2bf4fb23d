import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { JsonObject } from '../../src/config/json-object.js';

const read = (value: unknown) => new JsonObject(value, 'The thing', 'MILLRACE_MODEL_INVALID');
const refusal = (message: string) => ({ code: 'MILLRACE_MODEL_INVALID', message });

describe('a JSON object from outside', () => {
  it('gives fields of the types that are asked for', () => {
    const json = read({ a: 'x', b: 2, c: true, d: ['y'], e: [1], f: { g: 1 }, h: [{ i: 1 }] });
    assert.equal(json.string('a'), 'x');
    assert.equal(json.choice('a', ['w', 'x']), 'x');
    assert.equal(json.number('b', { min: 2, max: 2, integer: true }), 2);
    assert.equal(json.boolean('c'), true);
    assert.deepEqual(json.strings('d'), ['y']);
    assert.deepEqual(json.numbers('e'), [1]);
    assert.equal(json.object('f').number('g'), 1);
    assert.deepEqual(
      json.objects('h').map((each) => each.number('i')),
      [1],
    );
    json.end();
  });

  it('gives undefined or the fallback for what is absent', () => {
    const json = read({});
    assert.equal(json.optionalString('a'), undefined);
    assert.equal(json.optionalNumber('a'), undefined);
    assert.equal(json.optionalStrings('a'), undefined);
    assert.equal(json.boolean('a', true), true);
    assert.equal(json.choice('a', ['x', 'y'], 'y'), 'y');
  });

  it('names the field that is not as it should be', () => {
    const json = read({ a: 1.5, list: ['x', 2] });
    assert.throws(() => json.string('a'), refusal('The thing needs "a" to be text.'));
    assert.throws(() => json.string('b'), refusal('The thing needs "b": text.'));
    assert.throws(
      () => json.number('a', { min: 2, integer: true }),
      refusal('The thing needs "a" to be a whole number from 2.'),
    );
    assert.throws(() => json.choice('a', ['x', 'y']), refusal('The thing needs "a" to be one of x, y.'));
    assert.throws(() => json.boolean('a'), refusal('The thing needs "a" to be true or false.'));
    assert.throws(() => json.strings('list'), refusal('The thing needs "list" to be a list of text.'));
    assert.throws(() => json.numbers('list'), refusal('The thing needs "list" to be a list, each a number.'));
    assert.throws(() => json.array('a'), refusal('The thing needs "a" to be a list.'));
    assert.throws(() => json.object('a'), refusal('"a" of The thing must be an object.'));
    assert.throws(() => json.objects('list'), refusal('"list[0]" of The thing must be an object.'));
  });

  it('refuses numbers that are out of range or not finite', () => {
    for (const value of [NaN, Infinity, 0, 11, 1.5, '3', null]) {
      assert.throws(() => read({ a: value }).number('a', { min: 1, max: 10, integer: true }), {
        code: 'MILLRACE_MODEL_INVALID',
      });
    }
  });

  it('refuses fields that nobody read', () => {
    const json = read({ a: 1, b: 2 });
    json.number('a');
    assert.throws(() => json.end(), refusal('The thing has the unknown field "b"; known are a.'));
    assert.throws(() => read({ b: 2 }).end(), refusal('The thing has the unknown field "b"; it takes none.'));
  });

  it('refuses what is no object', () => {
    for (const value of [null, undefined, 1, 'x', []]) {
      assert.throws(() => read(value), refusal('The thing must be an object.'));
    }
  });

  it('takes nothing from a prototype', () => {
    assert.equal(read({}).has('toString'), false);
    assert.equal(read(Object.create({ a: 1 })).optionalNumber('a'), undefined);
  });
});
