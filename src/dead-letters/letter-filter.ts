import { defineOptions, type Compiled } from '../config/options.js';
import { parseTime } from '../config/point-in-time.js';
import type { DeadLetter } from './dead-letter.js';

const section = 'Filter';

/** Which letters of a topic are meant. */
export const letterFilterOptions = defineOptions({
  code: {
    type: 'list',
    placeholder: 'CODE,...',
    description: 'Only letters with these codes; MILLRACE_ROW_ may be left out',
    section,
  },
  since: {
    type: 'string',
    placeholder: 'TIME',
    description: 'Only rows of this time or later: 2026-01-31, 2026-01-31T08:00Z, or 2h for two hours ago',
    section,
  },
  until: {
    type: 'string',
    placeholder: 'TIME',
    description: 'Only rows of before this time, written like --since',
    section,
  },
  limit: { type: 'integer', min: 1, description: 'End after that many letters', section },
});

export interface LetterFilter {
  readonly sinceMs: number | undefined;
  matches(letter: DeadLetter): boolean;
}

/** Throws MILLRACE_CONFIG_INVALID for what is not a time. */
export function createLetterFilter(
  { code, since, until }: Omit<Compiled<typeof letterFilterOptions>, 'limit'>,
  nowMs = Date.now(),
): LetterFilter {
  const codes = new Set(code?.flatMap((each) => [each, `MILLRACE_ROW_${each}`]));
  const sinceMs = since === undefined ? undefined : parseTime('--since', since, nowMs);
  const untilMs = until === undefined ? Infinity : parseTime('--until', until, nowMs);
  return {
    sinceMs,
    matches: (letter) =>
      (codes.size === 0 || codes.has(letter.code)) &&
      letter.timestampMs >= (sinceMs ?? -Infinity) &&
      letter.timestampMs < untilMs,
  };
}
