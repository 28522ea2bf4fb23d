import { PartitionAssigners, type PartitionAssigner } from 'kafkajs';

/**
 * The client's usual assigner, which also says when this member is about to join. The client asks it for the
 * subscription at the start of every join, whatever led to it, and before the partitions can have another owner.
 */
export function roundRobinThatReportsJoins(onJoin: () => void): PartitionAssigner {
  return (config) => {
    const assigner = PartitionAssigners.roundRobin(config);
    return {
      ...assigner,
      protocol: (subscription) => {
        onJoin();
        return assigner.protocol(subscription);
      },
    };
  };
}
