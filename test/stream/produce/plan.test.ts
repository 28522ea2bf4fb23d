import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import type { FileComparison } from '../../../src/record/file-mark.js';
import { planProducing, type EarlierRun, type ProduceRequest } from '../../../src/stream/produce/plan.js';
import { startPosition } from '../../../src/stream/produce/position.js';

const schema = { name: 's', fields: [{ name: 'x', type: 'int' as const }], features: ['x'] };
const wider = { ...schema, fields: [{ name: 'x', type: 'double' as const }] };

/** What to do after a run that read `one` to its end and is in, or at the end of, `two`. */
function plan(
  change: {
    request?: Partial<ProduceRequest>;
    position?: Partial<EarlierRun['position']>;
    comparisons?: [one: FileComparison, two: FileComparison];
    numTopicOffsets?: bigint;
  } = {},
) {
  const settings = { schema, options: { key: 'id', delimiter: ',' } };
  const request: ProduceRequest = {
    files: ['one', 'two'].map((name) => ({ name, numBytes: 10 })),
    ...{ settings, isSchemaInferred: true, limit: undefined, loop: false },
    ...change.request,
  };
  const position = {
    ...startPosition,
    place: { fileIndex: 1, byteOffset: 10, line: 5 },
    marks: ['one', 'two'].map((name, fileIndex) => {
      return { fileIndex, path: resolve(name), numBytes: 10, fingerprint: 'f' };
    }),
    ...{ numSent: 7, numTaken: 8, ...change.position },
  };
  const comparisons = change.comparisons ?? ['same', 'same'];
  return planProducing(request, {
    ...{ position, settings, comparisons },
    numTopicOffsets: change.numTopicOffsets ?? 7n,
  });
}
const finished = { isFinished: true };
const files = (...names: string[]) => ({ files: names.map((name) => ({ name, numBytes: 10 })) });

describe('the plan of a producing run', () => {
  it('goes on with a job that was not finished', () => {
    assert.equal(plan(), 'go on');
    assert.equal(plan({ comparisons: ['same', 'longer'] }), 'go on');
  });

  it('has nothing to do for a finished job, or one that has reached its limit', () => {
    assert.equal(plan({ position: finished }), 'done');
    assert.equal(plan({ request: { limit: 8 } }), 'done');
    assert.equal(plan({ request: { limit: 9 } }), 'go on');
  });

  it('goes on with a finished job when rows or files were added at its end, or it is to loop', () => {
    assert.equal(plan({ position: finished, comparisons: ['same', 'longer'] }), 'go on');
    assert.equal(plan({ position: finished, request: files('one', 'two', 'three') }), 'go on');
    assert.equal(plan({ position: finished, request: { loop: true } }), 'go on');
  });

  it('refuses files that are not as they were', () => {
    const refused = { code: 'MILLRACE_INPUT_CHANGED' };
    const comparisons: [FileComparison, FileComparison][] = [
      ['changed', 'same'],
      ['same', 'changed'],
      ['longer', 'same'],
      ['longer-row', 'same'],
      ['same', 'longer-row'],
    ];
    for (const each of comparisons) {
      assert.throws(() => plan({ comparisons: each }), refused);
      assert.throws(() => plan({ comparisons: each, position: finished }), refused);
    }
    for (const names of [['two', 'one'], ['one'], ['zero', 'one', 'two']]) {
      assert.throws(() => plan({ request: files(...names) }), refused);
    }
  });

  it('refuses a topic that holds less than was sent', () => {
    assert.throws(() => plan({ numTopicOffsets: 6n }), {
      code: 'MILLRACE_INPUT_CHANGED',
      message: /made anew/,
    });
  });

  it('refuses to read rows otherwise than before, and names the option', () => {
    const given = (options: Record<string, string>) => ({ request: { settings: { schema, options } } });
    const invalid = (message: RegExp) => ({ code: 'MILLRACE_CONFIG_INVALID', message });
    assert.throws(() => plan(given({ delimiter: ',' })), invalid(/began with another --key \(id\)/));
    assert.throws(() => plan(given({ key: 'x', delimiter: ',' })), invalid(/--key/));
    const more = given({ key: 'id', delimiter: ',', maxRowBytes: '9' });
    assert.throws(() => plan(more), invalid(/began without --max-row-bytes/));
  });

  it('goes on with the schema of before when more rows show another, and refuses one that is given', () => {
    const settings = { schema: wider, options: { key: 'id', delimiter: ',' } };
    assert.equal(plan({ request: { settings } }), 'go on');
    assert.throws(() => plan({ request: { settings, isSchemaInferred: false } }), {
      code: 'MILLRACE_CONFIG_INVALID',
      message: /--schema/,
    });
  });
});
