import { join } from 'node:path';
import { fitNetwork, produceRows, type Workload } from '../delivery/workload.js';
import type { StreamSurroundings } from '../surroundings.js';
import type { Case } from './throughput.js';

/** The network whose arithmetic is the limit, and the one where everything else counts. */
export const networks = { large: '30-500-1000-500-2', small: '30-64-2' } as const;

/** The case that the others differ from in one thing each. */
export function plainCase(bundle: string, { topic, numRows }: Workload): Case {
  const title = `${networks.large}, JSON`;
  return { title, bundle, topic, numRows, numMembers: 1, flags: { millrace: [], peer: [] } };
}

/** Several members get as many rows each as one alone, so that all of them run as long before they are measured. */
const severalMembers = [2, 4] as const;

/** Everything that is served at full load. @param bundle of the large network */
export async function casesFor(
  bundle: string,
  workload: Workload,
  surroundings: StreamSurroundings,
): Promise<Case[]> {
  const schemas = join(surroundings.folder, 'schemas');
  const avroTopic = surroundings.uniqueName('avro-rows');
  const avro = ['--format', 'avro', '--schema-folder', schemas];
  await produceRows({ file: workload.file, topic: avroTopic }, surroundings, ...avro);
  const longTopic = surroundings.uniqueName('more-rows');
  for (let times = 0; times < Math.max(...severalMembers); times++)
    await produceRows({ file: workload.file, topic: longTopic }, surroundings, '--from-start');
  const smallBundle = await fitNetwork(networks.small, surroundings);
  const plain = plainCase(bundle, workload);
  return [
    plain,
    { ...plain, title: `${networks.small}, JSON`, bundle: smallBundle },
    {
      ...plain,
      title: `${networks.large}, Avro`,
      topic: avroTopic,
      flags: { millrace: avro, peer: ['--format', 'avro', '--schemas', schemas] },
    },
    {
      ...plain,
      title: `${networks.large}, JSON, one class`,
      flags: { millrace: ['--emit', 'label=s'], peer: ['--emit', 's'] },
    },
    ...severalMembers.map((numMembers) => ({
      ...plain,
      title: `${networks.large}, JSON, ${numMembers} members`,
      topic: longTopic,
      numRows: numMembers * workload.numRows,
      numMembers,
    })),
  ];
}
