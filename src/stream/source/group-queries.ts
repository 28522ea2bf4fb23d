import type { Admin } from 'kafkajs';
import { brokerError } from '../client/broker-error.js';
import type { StreamClient } from '../client/connection.js';
import { fetchPartitionOffsets } from './partition-offsets.js';
import type { PartitionOffsets } from './start-position.js';

/** What a member asks about its group and the topic of it, besides reading. */
export class GroupQueries {
  readonly #client: StreamClient;
  readonly #topic: string;
  readonly #group: string;
  #admin: Admin;

  constructor(client: StreamClient, { topic, group }: { readonly topic: string; readonly group: string }) {
    this.#client = client;
    this.#topic = topic;
    this.#group = group;
    this.#admin = client.kafka.admin();
  }

  connect(): Promise<void> {
    return this.#admin.connect();
  }

  disconnect(): Promise<void> {
    return this.#admin.disconnect();
  }

  /** Where the partitions end for readers of committed records. Throws MILLRACE_BROKER_UNAVAILABLE. */
  async fetchEnds(): Promise<ReadonlyMap<number, bigint>> {
    try {
      const ends = await this.#admin.fetchTopicOffsets(this.#topic);
      return new Map(ends.map(({ partition, high }) => [partition, BigInt(high)]));
    } catch (error) {
      throw brokerError(error, this.#client, 'Asking for the ends of the partitions');
    }
  }

  /**
   * The offsets as they are now, of all partitions, also of those that were added a moment ago. Throws an error that
   * may pass when one of `wanted` is not among them yet.
   */
  async fetchOffsets(
    wanted: readonly { readonly partition: number }[],
  ): Promise<Map<number, PartitionOffsets>> {
    const offsets = await fetchPartitionOffsets(this.#client, this.#admin, this.#topic, this.#group);
    if (wanted.every(({ partition }) => offsets.has(partition))) return offsets;
    // A connection keeps the partitions of the topic as it has once heard of them.
    await this.#admin.disconnect();
    this.#admin = this.#client.kafka.admin();
    await this.#admin.connect();
    throw new Error(`partitions that were added to ${this.#topic} are not described yet`);
  }

  async hasMember(id: string): Promise<boolean> {
    const { groups } = await this.#admin.describeGroups([this.#group]);
    return groups[0].members.some(({ memberId }) => memberId === id);
  }
}
