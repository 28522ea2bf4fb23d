import { join } from 'node:path';
import type { StreamSurroundings } from '../surroundings.js';

/** What every run reads: simulated collisions of thirty features, as JSON. */
export interface Workload {
  readonly numRows: number;
  /** CSV file with all rows. */
  readonly file: string;
  /** Topic with all rows. */
  readonly topic: string;
}

export const numPartitions = 4;
const numTrainingRows = '2000';
const roles = ['--key', 'EventId', '--label', 'Label', '--drop', 'Weight'];

/** Writes the rows once; every run reads them again, as a group of its own. */
export async function prepareRows(
  numRows: number,
  { folder, millrace, say, uniqueName }: StreamSurroundings,
): Promise<Workload> {
  const file = join(folder, 'rows.csv');
  await millrace('generate', '--rows', String(numRows), '--seed', '2', '--output', file);
  const workload = { numRows, file, topic: uniqueName('rows') };
  say(await produceRows(workload, { millrace }));
  return workload;
}

/** Writes the rows, or the first of them at a rate, to a topic; returns what the producer says at its end. */
export async function produceRows(
  { file, topic }: Pick<Workload, 'file' | 'topic'>,
  { millrace }: Pick<StreamSurroundings, 'millrace'>,
  ...flags: readonly string[]
): Promise<string> {
  const said = await millrace(
    ...['produce', file, '--topic', topic, '--partitions', String(numPartitions), ...roles, ...flags],
  );
  return said.trim();
}

/**
 * Trains a network for a moment: what it has learned does not matter, only how much it computes.
 *
 * @param network units of each layer, such as `30-64-64-2`
 * @returns the folder of the model bundle
 */
export async function fitNetwork(
  network: string,
  { folder, millrace }: Pick<StreamSurroundings, 'folder' | 'millrace'>,
): Promise<string> {
  const rows = join(folder, 'training-rows.csv');
  await millrace('generate', '--rows', numTrainingRows, '--seed', '1', '--output', rows);
  const bundle = join(folder, network);
  const hidden = network.split('-').slice(1, -1).join(',');
  const training = ['--batch-size', '64', '--sweeps', '1', '--missing', '-999'];
  await millrace('fit', rows, '--output', bundle, '--hidden', hidden, ...roles, ...training);
  return bundle;
}
