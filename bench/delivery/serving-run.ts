import { startMember, type Member } from '../../deploy/start/member.js';
import type { deliveries } from '../../src/serving/delivery.js';
import type { StreamSurroundings } from '../surroundings.js';

export type DeliveryName = (typeof deliveries)[number];

/** One run of a serving member with a group and an output topic that no other run has. */
export interface ServingRun {
  readonly member: Member;
  readonly output: string;
}

/** Starts `millrace serve`, does the work once it is ready, and takes both away again. */
export async function serving<T>(
  {
    bundle,
    topic,
    delivery,
  }: { readonly bundle: string; readonly topic: string; readonly delivery: DeliveryName },
  { client, folder, environment, uniqueName }: StreamSurroundings,
  work: (run: ServingRun) => Promise<T>,
): Promise<T> {
  const name = uniqueName('run');
  const output = `${name}-predictions`;
  const member = await startMember(
    name,
    ['--model', bundle, '--topic', topic, '--output', output, '--group', name, '--delivery', delivery],
    { logFolder: folder, environment },
  );
  try {
    await member.ready();
    return await work({ member, output });
  } finally {
    await member.stop();
    const admin = client.kafka.admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [output] });
    await admin.disconnect();
  }
}
