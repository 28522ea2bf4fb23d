import { resolve } from 'node:path';
import { flagName } from '../../config/options.js';
import { MillraceError } from '../../errors.js';
import type { FileComparison } from '../../record/file-mark.js';
import type { InputFile } from '../../record/input-files.js';
import { schemaFingerprint } from '../../record/schema.js';
import type { PlacedMark, ProducePosition, ProduceSettings } from './position.js';

/** What a run is asked to do. */
export interface ProduceRequest {
  readonly files: readonly InputFile[];
  readonly settings: ProduceSettings;
  /** Whether the schema is guessed from the rows, which may be more than when the job began. */
  readonly isSchemaInferred: boolean;
  readonly limit: number | undefined;
  readonly loop: boolean;
}

/** What was found of an earlier run. */
export interface EarlierRun {
  readonly position: ProducePosition;
  readonly settings: ProduceSettings;
  /** How each marked file is now, in the order of the marks. */
  readonly comparisons: readonly FileComparison[];
  /** How many offsets the topic has given away. */
  readonly numTopicOffsets: bigint;
}

/** Go on behind the position with the settings of the earlier run, or everything that was asked for is in the topic. */
export type ProducePlan = 'go on' | 'done';

/**
 * What a run has to do after an earlier run of the same job. Throws MILLRACE_INPUT_CHANGED when files that were read
 * are not the same any more, MILLRACE_CONFIG_INVALID when rows would be read otherwise than before.
 */
export function planProducing(request: ProduceRequest, earlier: EarlierRun): ProducePlan {
  const { position } = earlier;
  if (earlier.numTopicOffsets < position.numSent) {
    throw changed(
      `The topic holds fewer rows than this job has sent (${position.numSent}), as if it were made anew: give --from-start to send all rows again.`,
    );
  }
  refuseOtherOptions(request, earlier.settings);
  refuseOtherFiles(request.files, position);
  position.marks.forEach((mark, index) => {
    refuseChange(mark, earlier.comparisons[index], mark.fileIndex === position.place.fileIndex);
  });
  if (position.numTaken >= (request.limit ?? Infinity)) return 'done';
  if (!position.isFinished || request.loop) return 'go on';
  const hasGrown = earlier.comparisons.at(-1) === 'longer';
  const hasMoreFiles = position.place.fileIndex < request.files.length - 1;
  return hasGrown || hasMoreFiles ? 'go on' : 'done';
}

function refuseOtherOptions({ settings, isSchemaInferred }: ProduceRequest, before: ProduceSettings): void {
  const names = new Set([...Object.keys(settings.options), ...Object.keys(before.options)]);
  const other = [...names].find((name) => settings.options[name] !== before.options[name]);
  if (other !== undefined) {
    const value = before.options[other];
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      `This job began ${value === undefined ? 'without' : 'with another'} --${flagName(other)}${value === undefined ? '' : ` (${value})`}: give the same options to go on, or --from-start to send all rows again.`,
    );
  }
  if (!isSchemaInferred && schemaFingerprint(settings.schema) !== schemaFingerprint(before.schema)) {
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      'The schema that --schema names is not the one that this job began with: give that one to go on, or --from-start to send all rows again.',
    );
  }
}

/** The files before the position must be the same ones; behind it there may be others. */
function refuseOtherFiles(files: readonly InputFile[], { marks, place }: ProducePosition): void {
  const moved = marks.find(({ path, fileIndex }) => {
    const file = files.at(fileIndex);
    return file === undefined || resolve(file.name) !== path;
  });
  if (moved === undefined && place.fileIndex < files.length) return;
  throw changed(
    `The files are not the ones that this job has read up to now${moved === undefined ? '' : ` (${moved.path} stood at place ${moved.fileIndex + 1})`}: put them back, or produce new ones by themselves.`,
  );
}

function refuseChange({ path }: PlacedMark, comparison: FileComparison, isCurrent: boolean): void {
  if (comparison === 'changed') {
    throw changed(
      `${path} has changed since its rows were sent: --from-start sends all rows again, --job NAME sends it as a new job.`,
    );
  }
  if (comparison === 'longer-row') {
    throw changed(
      `The last row of ${path} was sent without its line end and goes on now: --from-start sends all rows again.`,
    );
  }
  if (comparison === 'longer' && !isCurrent) {
    throw changed(
      `${path} has grown since it was sent to its end: put its new rows into a file of their own, or give --from-start to send all rows again.`,
    );
  }
}

function changed(message: string): MillraceError {
  return new MillraceError('MILLRACE_INPUT_CHANGED', message);
}
