import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { newLogFile, tailOfLog } from '../../../deploy/embedded-broker/broker-log.js';
import { scratchFolder } from '../../helpers/scratch.js';

describe('the log of a broker', () => {
  it('stays, with those of the last few', (t) => {
    const cache = scratchFolder(t);
    for (let second = 0; second < 14; second++) {
      writeFileSync(newLogFile(cache, new Date(Date.UTC(2026, 0, 1, 0, 0, second))), '');
    }
    const names = readdirSync(join(cache, 'logs')).sort();
    assert.equal(names.length, 10);
    assert.match(names.at(-1)!, /^kafka-2026-01-01T00-00-13\.000Z-\d+\.log$/);
    assert.match(names[0], /^kafka-2026-01-01T00-00-04/);
  });

  it('is shown by its last lines', (t) => {
    const log = join(scratchFolder(t), 'log');
    assert.equal(tailOfLog(log), '');
    writeFileSync(log, Array.from({ length: 40 }, (_, index) => `line ${index}\n`).join(''));
    const tail = tailOfLog(log).split('\n');
    assert.equal(tail.at(-1), 'line 39');
    assert.equal(tail.length, 15);
  });
});
