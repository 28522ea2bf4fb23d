import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RejectReport } from '../../src/telemetry/reject-report.js';

describe('the report of rejected rows', () => {
  it('describes the first ones and counts all by code', () => {
    const lines: string[] = [];
    const report = new RejectReport((line) => lines.push(line));
    assert.equal(report.summary(), '0 rejected');
    for (let line = 1; line <= 7; line++) {
      report.add(`a.csv:${line}`, { code: 'MILLRACE_ROW_FIELD_TYPE', message: 'Not a number.' });
    }
    report.addCount('MILLRACE_ROW_EMPTY', 3);
    assert.equal(lines.length, 6);
    assert.equal(lines[0], 'rejected a.csv:1: Not a number. [MILLRACE_ROW_FIELD_TYPE]');
    assert.match(lines[5], /counted only/);
    assert.equal(report.count, 10);
    assert.equal(report.summary(), '10 rejected (7 MILLRACE_ROW_FIELD_TYPE, 3 MILLRACE_ROW_EMPTY)');
  });
});
