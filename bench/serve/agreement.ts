import { MillraceError } from '../../src/errors.js';
import { readTopic } from '../../src/stream/source/topic-reader.js';
import { serving } from '../delivery/serving-run.js';
import { produceRows } from '../delivery/workload.js';
import { sampleBacklog } from '../delivery/full-load.js';
import type { StreamSurroundings } from '../surroundings.js';
import { peerServing } from './peer.js';

const numCheckedRows = 500;
const tolerance = 1e-4;
/** Then those that are there are compared. */
const readTimeoutMs = 30_000;

/** The predictions of one topic, by the key of their row. */
export type PredictionsByKey = ReadonlyMap<
  string,
  { readonly prediction: readonly number[]; readonly label: string }
>;

/**
 * In what two sets of predictions differ, in a sentence; undefined when they are for the same rows, every number differs
 * by at most the tolerance, and the labels are the same but where two outputs are so near each other.
 */
export function disagreement(ours: PredictionsByKey, theirs: PredictionsByKey): string | undefined {
  if (ours.size !== theirs.size) return `there are ${ours.size} predictions and ${theirs.size}`;
  for (const [key, { prediction, label }] of ours) {
    const other = theirs.get(key);
    if (other === undefined) return `the row ${key} has one prediction only`;
    const near = (a: number, b: number) => Math.abs(a - b) <= tolerance;
    const same = prediction.every((value, output) => near(value, other.prediction[output]));
    if (!same || prediction.length !== other.prediction.length) {
      return `the row ${key} is predicted as ${prediction.join(', ')} and as ${other.prediction.join(', ')}`;
    }
    const [largest, second] = prediction.toSorted((a, b) => b - a);
    if (label !== other.label && !near(largest, second)) {
      return `the row ${key} is labelled ${label} and ${other.label}`;
    }
  }
  return undefined;
}

/** Lets both serve the same rows, and throws MILLRACE_COUNT_MISMATCH when they do not agree: then times mean nothing. */
export async function requireAgreement(
  python: string,
  bundle: string,
  file: string,
  surroundings: StreamSurroundings,
): Promise<void> {
  const topic = surroundings.uniqueName('checked-rows');
  await produceRows({ file, topic }, surroundings, '--limit', String(numCheckedRows));
  const ours = await serving({ bundle, topic, delivery: 'exactly-once' }, surroundings, async (run) => {
    await sampleBacklog(run.members, numCheckedRows, surroundings);
    return readPredictions(run.output, surroundings);
  });
  const what = { python, bundle, topic, numRows: numCheckedRows, numMembers: 1, flags: [] };
  const theirs = await peerServing(what, surroundings, (output) => readPredictions(output, surroundings));
  const difference = disagreement(ours, theirs);
  if (difference === undefined) return;
  throw new MillraceError('MILLRACE_COUNT_MISMATCH', `The peer in Python does not agree: ${difference}.`);
}

async function readPredictions(
  topic: string,
  { client, signal }: StreamSurroundings,
): Promise<PredictionsByKey> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(readTimeoutMs)]);
  const predictions = new Map<string, { prediction: number[]; label: string }>();
  for await (const { key, value } of readTopic(client, {
    topic,
    from: 'earliest',
    until: 'forever',
    signal: inTime,
  })) {
    const row = JSON.parse(String(value)) as { prediction: number[]; predicted_label: string };
    predictions.set(String(key), { prediction: row.prediction, label: row.predicted_label });
    // A transaction that its member knows to be committed can be read only a moment later.
    if (predictions.size === numCheckedRows) break;
  }
  return predictions;
}
