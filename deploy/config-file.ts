import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { MillraceError, messageOf } from '../src/errors.js';

/** Reads the file that `--config` names: YAML, of which JSON is a part. Throws MILLRACE_CONFIG_INVALID. */
export function readConfigFile(path: string): Readonly<Record<string, unknown>> {
  const content = parseYaml(readText(path), path);
  if (content === null || content === undefined) return {};
  if (typeof content !== 'object' || Array.isArray(content)) {
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      `The configuration file ${path} must hold options by name, such as "port: 8080".`,
    );
  }
  return content as Record<string, unknown>;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(path, messageOf(error), error);
  }
}

/** The parser quotes in its messages what it stumbles over, which may be a password: only the place is told. */
function parseYaml(text: string, path: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { prettyErrors: false, lineCounter: lines });
  const trouble = [...document.errors, ...document.warnings].at(0);
  if (trouble !== undefined) {
    const { line, col } = lines.linePos(trouble.pos[0]);
    throw unreadable(path, `it is not YAML at line ${line}, column ${col} (${trouble.code})`);
  }
  try {
    return document.toJS();
  } catch {
    throw unreadable(path, 'it has an alias (*name) without its anchor, or too many of them');
  }
}

function unreadable(path: string, reason: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'MILLRACE_CONFIG_INVALID',
    `The configuration file ${path} cannot be read: ${reason}.`,
    { cause },
  );
}
