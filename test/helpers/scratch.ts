import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** An empty folder that is removed when the test ends. */
export function scratchFolder(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
