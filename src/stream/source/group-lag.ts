import { brokerError } from '../client/broker-error.js';
import type { StreamClient } from '../client/connection.js';
import { fetchPartitionOffsets } from './partition-offsets.js';

/** Says how far a group is behind. */
export interface LagReader {
  /**
   * Offsets between what the group has committed and the ends of all partitions; a partition without a commit counts
   * from its beginning. Throws MILLRACE_BROKER_UNAVAILABLE.
   */
  read(): Promise<number>;
  close(): Promise<void>;
}

/** Opens a connection that asks for the lag of a group on a topic. Throws MILLRACE_BROKER_UNAVAILABLE. */
export async function openLagReader(client: StreamClient, topic: string, group: string): Promise<LagReader> {
  const admin = client.kafka.admin();
  const doing = `Asking for the lag of the group "${group}"`;
  try {
    await admin.connect();
  } catch (error) {
    throw brokerError(error, client, doing);
  }
  return {
    read: async () => {
      try {
        const offsets = await fetchPartitionOffsets(client, admin, topic, group);
        return [...offsets.values()].reduce(
          (sum, { committed, low, high }) => sum + Number(high - (committed ?? low)),
          0,
        );
      } catch (error) {
        throw brokerError(error, client, doing);
      }
    },
    close: () => admin.disconnect(),
  };
}
