import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { MillraceError, messageOf } from '../src/errors.js';

/** Reads the file that `--config` names: YAML, of which JSON is a part. Throws MILLRACE_CONFIG_INVALID. */
export function readConfigFile(path: string): Readonly<Record<string, unknown>> {
  let content: unknown;
  try {
    content = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      `The configuration file ${path} cannot be read: ${messageOf(error).trim()}`,
      { cause: error },
    );
  }
  if (content === null) return {};
  if (typeof content !== 'object' || Array.isArray(content)) {
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      `The configuration file ${path} must hold options by name, such as "port: 8080".`,
    );
  }
  return content as Record<string, unknown>;
}
