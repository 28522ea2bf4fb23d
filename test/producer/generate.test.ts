import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { csvHeader, csvLine } from '../../src/record/csv-writer.js';
import { collisionEvents, collisionSchema } from '../../src/simulation/collision-events.js';
import { runProgram } from '../helpers/program.js';
import { scratchFolder } from '../helpers/scratch.js';

describe('generate', () => {
  it('writes the events of a seed as CSV, to standard output or a file', async (t) => {
    const events = collisionEvents(7);
    const lines = Array.from({ length: 1_234 }, () => csvLine(events.next().value, collisionSchema));
    const expected = csvHeader(collisionSchema) + lines.join('');
    const shown = await runProgram(['generate', '--rows', '1234', '--seed', '7']);
    assert.deepEqual([shown.code, shown.stdout], [0, expected]);
    const file = join(scratchFolder(t), 'events.csv');
    const written = await runProgram(['generate', '--rows', '1234', '--seed', '7', '--output', file]);
    assert.deepEqual([written.code, written.stdout], [0, '']);
    assert.equal(readFileSync(file, 'utf8'), expected);
  });

  it('says when its file cannot be written', async (t) => {
    const { code, stderr } = await runProgram([
      'generate',
      '--output',
      join(scratchFolder(t), 'none', 'x.csv'),
    ]);
    assert.equal(code, 2);
    assert.match(stderr, /^millrace: .*none\/x\.csv cannot be written: .*\[MILLRACE_FILE_UNUSABLE\]\n$/);
  });
});
