import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { readEnvironment } from '../../src/config/environment.js';

/**
 * For a test that needs a program from outside, such as `{ skip: missingTool('kcat') }`: false when it is on the path,
 * else the line that says why the test is skipped. Where `CI` is set nothing may be skipped, and it throws instead.
 */
export function missingTool(name: string): string | false {
  const environment = readEnvironment();
  if (isOnPath(name, environment['PATH'] ?? '')) return false;
  if (environment['CI'] !== undefined) throw new Error(`${name} is missing, and CI tests everything.`);
  return `${name} is not installed`;
}

function isOnPath(name: string, path: string): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
