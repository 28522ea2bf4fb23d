import { readFile, stat } from 'node:fs/promises';
import { MillraceError, messageOf } from '../src/errors.js';

const maxBytes = 16 * 2 ** 20;

/** The contents of a JSON file that an option names. Throws MILLRACE_FILE_UNUSABLE. */
export async function readJsonFile(path: string): Promise<unknown> {
  try {
    if ((await stat(path)).size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = isMissing ? 'there is no such file' : messageOf(error);
    throw new MillraceError('MILLRACE_FILE_UNUSABLE', `${path} cannot be read as JSON: ${reason}.`, {
      cause: error,
    });
  }
}
