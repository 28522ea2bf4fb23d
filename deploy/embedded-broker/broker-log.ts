import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const numKept = 10;
const tailLines = 15;

/** The file for the log of a new broker; of the older ones only the last few stay. */
export function newLogFile(cacheFolder: string, now: Date = new Date()): string {
  const folder = join(cacheFolder, 'logs');
  mkdirSync(folder, { recursive: true });
  const older = readdirSync(folder)
    .filter((name) => name.startsWith('kafka-'))
    .sort();
  for (const name of older.slice(0, Math.max(0, older.length - numKept + 1))) {
    rmSync(join(folder, name), { force: true });
  }
  return join(folder, `kafka-${now.toISOString().replaceAll(':', '-')}-${process.pid}.log`);
}

/** The last lines of a log; empty if there is none yet. */
export function tailOfLog(logFile: string): string {
  if (!existsSync(logFile)) return '';
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n');
  return lines.slice(-tailLines).join('\n');
}
