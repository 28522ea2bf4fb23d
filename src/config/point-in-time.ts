import { MillraceError } from '../errors.js';

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * A point in time, or how long it is past. Milliseconds since 1970.
 *
 * @param flag the option that it was given with, for the message
 * @throws MillraceError MILLRACE_CONFIG_INVALID for what is neither
 */
export function parseTime(flag: string, text: string, nowMs: number): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text) ?? [];
  if (amount !== undefined) return nowMs - Number(amount) * unitMs[unit];
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(time)) return time;
  throw new MillraceError(
    'MILLRACE_CONFIG_INVALID',
    `${flag} must be a time such as 2026-01-31T08:00Z, or how long ago, such as 90s, 15m, 2h, 7d or 1w, not "${text}".`,
  );
}
