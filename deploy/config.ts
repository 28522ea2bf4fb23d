import { stringify } from 'yaml';
import { hideCredentials } from '../src/config/hide-credentials.js';
import { flagName, resolveOptions, type OptionTable, type RawOptions } from '../src/config/options.js';
import type { Program } from '../src/config/program.js';

/**
 * What `millrace config` prints: every option by the name of its flag, with its value and where that came from;
 * secrets hidden. As YAML, it can be given to `--config`. Throws MILLRACE_CONFIG_INVALID as the program itself would.
 */
export function describeConfiguration(
  program: Pick<Program, 'name'>,
  table: OptionTable,
  raw: RawOptions,
  json: boolean,
): string {
  const options = Object.entries(resolveOptions(table, raw)).map(([name, { value = null, source }]) => ({
    key: flagName(name),
    hidden: table[name].secret === true && value !== null,
    value: typeof value === 'string' ? hideCredentials(value) : value,
    source,
  }));
  if (json) {
    const entries = options.map(({ key, hidden, value, source }) => [
      key,
      { value: hidden ? '(hidden)' : value, source },
    ]);
    return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
  }
  const lines = options.map(({ key, hidden, value, source }) =>
    hidden ? `# ${key}: (hidden) # ${source}` : `${yamlLine(key, value)} # ${source}`,
  );
  return `# millrace ${program.name}\n${lines.join('\n')}\n`;
}

function yamlLine(key: string, value: unknown): string {
  return stringify({ [key]: value }, { collectionStyle: 'flow', lineWidth: 0 })
    .trimEnd()
    .replace(/^\{ | \}$/g, '');
}
