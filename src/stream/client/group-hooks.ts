import { createRequire } from 'node:module';
import {
  PartitionAssigners,
  type Assigner,
  type OffsetsByTopicPartition,
  type PartitionAssigner,
} from 'kafkajs';
import type { Cluster } from './cluster.js';
import { fetchSpans } from './fetch-answers.js';

/** What kafkajs does inside a group and has no event for. */
export interface GroupHooks {
  /** This member is about to join, whatever led to it, and before its partitions can have another owner. */
  joining(): void;
  /** How a commit is made once, in the generation of the moment of the call. Told before every join. */
  commitsBy(commit: CommitOffsets): void;
  /**
   * A partition was fetched at an offset that it does not hold. Fetching waits for the answer and then goes on: where
   * it was, unless the partition has another position by then.
   */
  outOfRange(partition: number): Promise<void>;
  /** How long the broker may hold the next fetch when it finds nothing. */
  maxWaitMs(): number;
}

/** Commits these offsets. Throws what the coordinator answers. */
export type CommitOffsets = (offsets: OffsetsByTopicPartition) => Promise<void>;

/** What is used of kafkajs' membership in a group (src/consumer/consumerGroup of 2.2.4). */
interface ConsumerGroup {
  readonly cluster: Cluster<object>;
  readonly assigners: readonly Partial<HookedAssigner>[];
  /** By Date.now(). */
  lastRequest: number;
  joinAndSync(): Promise<void>;
  commitOffsets: CommitOffsets;
  maxWaitTime: number;
  fetch(nodeId: string): Promise<unknown>;
  heartbeat(options: { interval: number }): Promise<void>;
  recoverFromOffsetOutOfRange(error: { partition: number }): Promise<void>;
}

interface HookedAssigner extends Assigner {
  readonly hooks: GroupHooks;
}

/**
 * The client's usual assigner, which also carries the hooks: it is the one object of ours that a membership holds. The
 * client asks it for the subscription at the start of every join.
 */
export function hookedRoundRobin(hooks: GroupHooks): PartitionAssigner {
  mendConsumerGroup();
  return (config): HookedAssigner => {
    const assigner = PartitionAssigners.roundRobin(config);
    return {
      ...assigner,
      protocol: (subscription) => {
        hooks.joining();
        return assigner.protocol(subscription);
      },
      hooks,
    };
  };
}

let isMended = false;

/**
 * Takes four things out of kafkajs 2.2.4's own hands:
 *
 * - An offset that is out of range: it would go to one end of the partition by the policy for new groups, and commit
 *   -1 or -2 as the group's offset, which makes the group look like one that has never read.
 * - Commits: they can be made once only from within `eachBatch`; elsewhere they are repeated, under a later generation too.
 * - The time that the broker holds a fetch: it is the same for an idle member as for one that is under load.
 * - Heartbeats: one is due when the wall clock has gone on by the interval. After a clock was set back by minutes none
 *   is sent for as long, and the member is thrown out.
 */
function mendConsumerGroup(): void {
  if (isMended) return;
  isMended = true;
  const require = createRequire(import.meta.url);
  const { prototype } = require('kafkajs/src/consumer/consumerGroup') as { prototype: ConsumerGroup };
  // eslint-disable-next-line @typescript-eslint/unbound-method -- each is called on the group that it was called on
  const { joinAndSync, fetch, heartbeat, recoverFromOffsetOutOfRange } = prototype;

  prototype.joinAndSync = function (this: ConsumerGroup) {
    const hooks = hooksOf(this);
    if (hooks !== undefined) {
      fetchSpans(this.cluster);
      hooks.commitsBy((offsets) => this.commitOffsets(offsets));
    }
    return joinAndSync.call(this);
  };
  prototype.fetch = function (this: ConsumerGroup, nodeId) {
    this.maxWaitTime = hooksOf(this)?.maxWaitMs() ?? this.maxWaitTime;
    return fetch.call(this, nodeId);
  };
  prototype.heartbeat = function (this: ConsumerGroup, options) {
    if (Date.now() < this.lastRequest) this.lastRequest = 0;
    return heartbeat.call(this, options);
  };
  prototype.recoverFromOffsetOutOfRange = function (this: ConsumerGroup, error) {
    const hooks = hooksOf(this);
    return hooks === undefined
      ? recoverFromOffsetOutOfRange.call(this, error)
      : hooks.outOfRange(error.partition);
  };
}

function hooksOf(group: ConsumerGroup): GroupHooks | undefined {
  return group.assigners.find(({ hooks }) => hooks !== undefined)?.hooks;
}
