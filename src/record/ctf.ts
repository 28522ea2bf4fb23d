/**
 * The text format of CNTK: a line has a sample of some streams, and lines with the same id one behind the other are a
 * sequence.
 *
 *   0 |x 560:1 |y 1 0 0 0 0 |# a comment
 *   0 |x 0:1
 */

/** A stream of such a file. */
export interface CtfStream {
  /** The name it has in the file. */
  readonly alias: string;
  readonly storageFormat: 'dense' | 'sparse';
  /** Numbers of one sample. */
  readonly size: number;
}

/** What a line has of one stream. */
export interface CtfSample {
  /** The place of the stream. */
  readonly stream: number;
  /** Of a sparse stream: where each value stands. */
  readonly indices: readonly number[];
  readonly values: readonly number[];
}

/** A line without an id is a sequence of its own. */
export type CtfLine =
  { readonly id: number | undefined; readonly samples: readonly CtfSample[] } | { readonly reason: string };

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Reads lines; streams that were not named are passed over. */
export function createCtfParser(streams: readonly CtfStream[]): (line: string) => CtfLine {
  const places = new Map(streams.map(({ alias }, place) => [alias, place]));
  return (line) => {
    const [head, ...parts] = line.split('|');
    const id = head.trim();
    if (id !== '' && !(/^\d+$/.test(id) && Number.isSafeInteger(Number(id)))) {
      return { reason: `"${shorten(id)}" is not the id of a sequence` };
    }
    if (parts.length === 0) return { reason: 'it has no sample' };
    const samples: CtfSample[] = [];
    for (const part of parts) {
      if (part.startsWith('#')) continue;
      const [alias, ...tokens] = part.trim().split(/\s+/);
      const stream = places.get(alias);
      if (stream === undefined) continue;
      if (samples.some((sample) => sample.stream === stream)) return { reason: `it has |${alias} twice` };
      const sample = readSample(streams[stream], tokens);
      if (typeof sample === 'string') return { reason: `|${alias}: ${sample}` };
      samples.push({ stream, ...sample });
    }
    return { id: id === '' ? undefined : Number(id), samples };
  };
}

function readSample(
  { storageFormat, size }: CtfStream,
  tokens: readonly string[],
): Omit<CtfSample, 'stream'> | string {
  if (storageFormat === 'dense') {
    if (tokens.length !== size) return `${tokens.length} numbers stand where ${size} must be`;
    const bad = tokens.find((token) => !decimal.test(token));
    return bad === undefined
      ? { indices: [], values: tokens.map(Number) }
      : `"${shorten(bad)}" is not a number`;
  }
  const indices: number[] = [];
  const values: number[] = [];
  for (const token of tokens) {
    const colon = token.indexOf(':');
    const [index, value] = [token.slice(0, colon), token.slice(colon + 1)];
    if (colon < 1 || !/^\d+$/.test(index) || !decimal.test(value))
      return `"${shorten(token)}" is not index:value`;
    if (Number(index) >= size) return `the index ${shorten(index)} is not below ${size}`;
    indices.push(Number(index));
    values.push(Number(value));
  }
  return { indices, values };
}

function shorten(text: string): string {
  return text.length > 20 ? `${text.slice(0, 20)}…` : text;
}
