import { isDeepStrictEqual } from 'node:util';
import { MillraceError } from '../errors.js';

/** What must be the same when something goes on at a checkpoint; plain data. */
export type CheckpointSettings = Readonly<Record<string, unknown>>;

/**
 * Throws MILLRACE_CONFIG_INVALID when a checkpoint is of other settings.
 *
 * @param owner what it is of, such as `run`
 * @param place what may be given instead, such as `file`
 */
export function checkSameSettings(
  { file, owner, place }: { readonly file: string; readonly owner: string; readonly place: string },
  was: CheckpointSettings,
  is: CheckpointSettings,
): void {
  const other = Object.keys({ ...was, ...is }).find((name) => !isDeepStrictEqual(was[name], plain(is[name])));
  if (other === undefined) return;
  const [before, now] = [was[other], is[other]].map((value) => JSON.stringify(value) ?? 'nothing');
  throw new MillraceError(
    'MILLRACE_CONFIG_INVALID',
    `${file} is of a ${owner} with ${other} ${before}, and this one has ${now}; give the same, or another ${place}.`,
  );
}

/** As it comes back out of JSON. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}
