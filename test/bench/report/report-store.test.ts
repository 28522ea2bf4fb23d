import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ReportStore } from '../../../bench/report/report-store.js';
import { scratchFolder } from '../../helpers/scratch.js';
import { fixedFailure, fixedReport } from './fixed-reports.js';

describe('the reports of benchmarks', () => {
  it('stay on the page when another benchmark is measured, in the order of the list', async (t) => {
    const folder = scratchFolder(t);
    const store = new ReportStore(folder, ['serve', 'memory']);
    await store.put(fixedFailure);
    await store.put(fixedReport);
    const page = await readFile(store.page, 'utf8');
    assert.match(page, /## serve\n[^]*\n## memory\n/);
    assert.match(await readFile(join(folder, 'images', 'performance.svg'), 'utf8'), /Serving &lt;JSON&gt;/);
  });

  it('give way to the next one of the same benchmark, and leave with it', async (t) => {
    const folder = scratchFolder(t);
    await new ReportStore(folder, ['serve', 'memory']).put(fixedReport);
    await new ReportStore(folder, ['serve', 'memory']).put({ ...fixedReport, seconds: 34 });
    const store = new ReportStore(folder, ['serve', 'memory']);
    const page = await readFile(store.page, 'utf8');
    assert.match(page, /Measured in 34 s\./);
    assert.doesNotMatch(page, /Measured in 12 s\./);
    await new ReportStore(folder, ['memory']).put(fixedFailure);
    assert.doesNotMatch(await readFile(store.page, 'utf8'), /## serve/);
  });
});
