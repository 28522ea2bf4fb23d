import type { Environment } from '../../src/config/environment.js';
import type { deliveries } from '../../src/serving/delivery.js';
import type { Member } from '../../deploy/start/member.js';
import { startMembers } from '../../deploy/start/members.js';
import { withAdmin } from '../../src/stream/topics/topics.js';
import type { StreamSurroundings } from '../surroundings.js';

export type DeliveryName = (typeof deliveries)[number];

/** What is served, and how. */
export interface Serving {
  readonly bundle: string;
  readonly topic: string;
  readonly delivery: DeliveryName;
  /** One unless given; they share a group. */
  readonly numMembers?: number;
  /** Further flags of `millrace serve`. */
  readonly flags?: readonly string[];
  /** Called once when all members are ready, before the work. */
  readonly onReady?: () => Promise<void>;
  /** Further variables of its environment. */
  readonly environment?: Environment;
}

/** One run of serving members with a group and an output topic that no other run has. */
export interface ServingRun {
  /** The first of them. */
  readonly member: Member;
  readonly members: readonly Member[];
  readonly group: string;
  readonly output: string;
}

/** Starts `millrace serve`, does the work once all members are ready, and takes both away again. */
export async function serving<T>(
  { bundle, topic, delivery, numMembers = 1, flags = [], environment, onReady }: Serving,
  surroundings: StreamSurroundings,
  work: (run: ServingRun) => Promise<T>,
): Promise<T> {
  const name = surroundings.uniqueName('run');
  const output = `${name}-predictions`;
  const members = await startMembers(
    numMembers,
    [
      ...['--model', bundle, '--topic', topic, '--output', output, '--group', name],
      ...['--delivery', delivery, ...flags],
    ],
    { logFolder: surroundings.folder, environment: { ...surroundings.environment, ...environment } },
  );
  try {
    await onReady?.();
    return await work({ member: members.all[0], members: members.all, group: name, output });
  } finally {
    await members.stop();
    await deleteTopic(output, surroundings);
  }
}

export async function deleteTopic(topic: string, { client }: StreamSurroundings): Promise<void> {
  await withAdmin(client, 'Deleting a topic', (admin) => admin.deleteTopics({ topics: [topic] }));
}
