/** Control and format characters, what is not assigned, and line and paragraph ends: what may drive a terminal. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu;
const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Text that came from outside, fit for a terminal: on one line, without a character that moves the cursor, changes
 * colours or turns the direction of writing. Those are written as `\n`, `\t` or `\u{1b}`.
 *
 * @param maxLength characters to keep; how many more there are is said behind them
 */
export function printable(text: string, maxLength = Infinity): string {
  const kept = text.length > maxLength ? text.slice(0, maxLength) : text;
  const escaped = kept.replace(
    unprintable,
    (character) => short[character] ?? `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
  return text.length > maxLength ? `${escaped}... (${text.length - maxLength} characters more)` : escaped;
}
