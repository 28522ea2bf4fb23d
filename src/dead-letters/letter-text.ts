import { isUtf8 } from 'node:buffer';
import { headerEntries } from '../stream/headers.js';
import { printable } from '../telemetry/printable.js';
import { placeOf, type DeadLetter } from './dead-letter.js';
import { timeText } from './letter-summary.js';

/** What is shown of one text, in characters, and of bytes that are no text. */
const maxShownLength = 4_000;
const maxShownBytes = 512;
const bytesPerLine = 16;

/** A letter as lines for people. Nothing in it drives the terminal; long contents are cut. */
export function describeLetter(letter: DeadLetter, isReplayed: boolean): string {
  const { at, code, reason, reporter, row, source, omittedBytes, replayCount, timestampMs } = letter;
  const from = row === undefined ? source : placeOf(row);
  const facts: [string, string | undefined][] = [
    ['code', code],
    ['reason', reason],
    ['row', from],
    ['written by', reporter],
    ['time', timeText(timestampMs)],
    ['tried', replayCount === 0 ? undefined : `replayed ${replayCount} time(s) before`],
    ['replayed', isReplayed ? 'yes' : undefined],
    ['left out', omittedBytes === undefined ? undefined : `key and value, ${omittedBytes} bytes`],
    ['key', contentText(letter.key)],
    ['value', contentText(letter.value)],
  ];
  const lines = facts
    .filter((fact): fact is [string, string] => fact[1] !== undefined)
    .map(([name, text]) => `  ${name.padEnd(10)}  ${linesOf(name, text)}`);
  for (const [name, content] of headerEntries(letter.headers)) {
    const text = contentText(typeof content === 'string' ? Buffer.from(content) : content);
    lines.push(`  header      ${printable(name, maxShownLength)}: ${indented(text)}`);
  }
  return [placeOf(at), ...lines].join('\n');
}

/** A letter for programs: bytes as base64, offsets as text, and nothing is cut. */
export function letterJson(letter: DeadLetter, isReplayed: boolean): object {
  const { at, row, key, value, headers, timestampMs, ...facts } = letter;
  const coordinates = (place: typeof at) => ({ ...place, offset: place.offset.toString() });
  return {
    at: coordinates(at),
    ...facts,
    ...(row !== undefined && { row: coordinates(row) }),
    replayed: isReplayed,
    timestampMs,
    key: key?.toString('base64') ?? null,
    value: value?.toString('base64') ?? null,
    headers: [...headerEntries(headers)].map(([name, content]) => ({
      name,
      value: Buffer.from(content as string).toString('base64'),
    })),
  };
}

const isContent = (name: string) => name === 'key' || name === 'value';
/** Contents are made printable where it is decided how they are shown. */
const linesOf = (name: string, text: string) =>
  isContent(name) ? indented(text) : printable(text, maxShownLength);
const indented = (text: string) => text.replaceAll('\n', `\n${' '.repeat(14)}`);

/** Bytes as they are shown: text when they are UTF-8, else a dump of lines. */
function contentText(bytes: Buffer | null): string {
  if (bytes === null) return 'null';
  if (bytes.length === 0) return '(empty)';
  return isUtf8(bytes) ? printable(bytes.toString(), maxShownLength) : hexDump(bytes);
}

/** Lines such as `00000010  6e 6f 74 20 4a 53 4f 4e  not JSON`. */
function hexDump(bytes: Buffer): string {
  const shown = bytes.subarray(0, maxShownBytes);
  const lines = [`${bytes.length} bytes, not UTF-8`];
  for (let start = 0; start < shown.length; start += bytesPerLine) {
    const part = shown.subarray(start, start + bytesPerLine);
    const hex = [...part].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const ascii = [...part].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'));
    lines.push(
      `${start.toString(16).padStart(8, '0')}  ${hex.padEnd(3 * bytesPerLine - 1)}  ${ascii.join('')}`,
    );
  }
  if (bytes.length > shown.length) lines.push(`(${bytes.length - shown.length} bytes more)`);
  return lines.join('\n');
}
