import type { SourceRow } from './csv-source.js';
import type { Observation } from './observation.js';

/** The same rows in lists of `size`, the last one shorter, whatever the size of the chunks they come in. */
export async function* regroup<T>(
  chunks: AsyncIterable<readonly T[]>,
  size: number,
): AsyncGenerator<readonly T[]> {
  let waiting: T[] = [];
  for await (const chunk of chunks) {
    for (const row of chunk) {
      waiting.push(row);
      if (waiting.length === size) {
        yield waiting;
        waiting = [];
      }
    }
  }
  if (waiting.length > 0) yield waiting;
}

/** The rows without the place they stood in. */
export async function* observationsOf(
  chunks: AsyncIterable<readonly SourceRow[]>,
): AsyncGenerator<readonly Observation[]> {
  for await (const rows of chunks) yield rows.map(({ observation }) => observation);
}
