import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/config/package-root.js';
import { errorTable, type ErrorCode } from '../../src/errors.js';
import { table } from './markdown.js';

/** Every code with its meaning, which is the comment above it in src/errors.ts. */
export function errorReference(): string {
  const source = readFileSync(join(packageRoot, 'src/errors.ts'), 'utf8');
  const rows = (Object.keys(errorTable) as ErrorCode[]).map((code) => {
    const comment = new RegExp(`/\\*\\*([^/]*)\\*/\\s*${code}:`).exec(source);
    if (comment === null) throw new Error(`${code} has no comment in src/errors.ts.`);
    const { exitCode, retriable } = errorTable[code];
    return [
      `\`${code}\``,
      comment[1].replace(/\s*\n\s*\*?\s*/g, ' ').trim(),
      String(exitCode),
      retriable ? 'yes' : '',
    ];
  });
  return table(['Code', 'Meaning', 'Exit code', 'Retrying may help'], rows);
}
