import { MillraceError } from '../errors.js';
import type { NumberOption, Option, StringOption } from './option-table.js';

/**
 * The value of an option out of what was given for it: text from the command line and the environment, anything from a
 * file.
 *
 * @param source what gave it, as messages call it, such as `--port`
 * @throws MillraceError MILLRACE_CONFIG_INVALID when it is not of the option's type, range or choices
 */
export function parseValue(option: Option, value: unknown, source: string): unknown {
  const refuse = (expected: string): never => {
    const given = option.secret ? '(hidden)' : JSON.stringify(value);
    throw new MillraceError('MILLRACE_CONFIG_INVALID', `${source} must be ${expected}, not ${given}.`);
  };
  switch (option.type) {
    case 'string':
      return parseText(option, value, refuse);
    case 'integer':
    case 'number':
      return parseNumber(option, value, refuse);
    case 'boolean':
      return parseBoolean(value, refuse);
    case 'list':
      return parseList(value, refuse);
  }
}

type Refuse = (expected: string) => never;

function parseText(option: StringOption, value: unknown, refuse: Refuse): string {
  if (typeof value !== 'string' && typeof value !== 'number') return refuse('text');
  const text = String(value);
  if (option.choices !== undefined && !option.choices.includes(text)) {
    return refuse(`one of ${option.choices.join(', ')}`);
  }
  return text;
}

function parseNumber(option: NumberOption, value: unknown, refuse: Refuse): number {
  const { type, min = -Infinity, max = Infinity } = option;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) {
    return refuse(type === 'integer' ? 'a whole number' : 'a number');
  }
  if (type === 'integer' && !Number.isSafeInteger(number)) return refuse('a whole number');
  if (number < min) return refuse(`at least ${min}`);
  if (number > max) return refuse(`at most ${max}`);
  return number;
}

function parseBoolean(value: unknown, refuse: Refuse): boolean {
  if (value === true || value === 'true' || value === '1' || value === 'yes') return true;
  if (value === false || value === 'false' || value === '0' || value === 'no') return false;
  return refuse('true or false');
}

function parseList(value: unknown, refuse: Refuse): string[] {
  const items: unknown = typeof value === 'string' ? value.split(',') : value;
  const isText = (item: unknown) => typeof item === 'string' || typeof item === 'number';
  if (!Array.isArray(items) || !items.every(isText)) return refuse('a list, such as A,B');
  return items.map((item) => String(item).trim()).filter((item) => item !== '');
}
