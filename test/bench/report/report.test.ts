import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { performancePage, reportText } from '../../../bench/report/report.js';
import { fixedFailure, fixedReport } from './fixed-reports.js';

describe('the performance page', () => {
  const page = performancePage([fixedReport, fixedFailure]);

  it('has the tables of each benchmark below the machine, the versions and the day', () => {
    assert.match(
      page,
      /## serve\n\nRows per second\. 2026-11-21\. On 2 cores \(A processor, Linux 6\.1\), Node\.js 20\.19\.0, TensorFlow 2\.12\.1, Kafka 4\.1\.1; load average before it 0\.3\. Measured in 12 s\.\n/,
    );
    assert.match(
      page,
      /### Full load\n\nOne member\.\n\n\| network \| rows\/s \|\n\| --- \| --- \|\n\| 30-64-2 \| 12,345 \|\n/,
    );
    assert.match(page, /!\[[^\]]+\]\(images\/performance\.svg\)/);
  });

  it('says what could not be measured and why', () => {
    assert.match(page, /## memory\n\nMemory over time\.\n\nNot measured: The disk is full\.\n/);
  });

  it('has the same tables on a terminal, in columns', () => {
    assert.match(reportText(fixedReport), /^30-64-2 {2}12,345$/m);
  });
});
