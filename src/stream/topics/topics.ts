import { setTimeout as delay } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import { MillraceError } from '../../errors.js';
import { brokerError, protocolErrorType } from '../client/broker-error.js';
import type { StreamClient } from '../client/connection.js';

/** A topic that is needed, and what it is made like when it has to be created. */
export interface TopicSpec {
  readonly topic: string;
  /** The broker's default unless given. */
  readonly numPartitions?: number;
  /** Settings of the topic by Kafka's names, such as `max.message.bytes`. */
  readonly settings?: Readonly<Record<string, string>>;
}

const describeTimeoutMs = 15_000;
const describeIntervalMs = 50;

/**
 * Makes sure that topics exist and that every partition has a leader; returns only then, since Kafka creates topics
 * in the background. A topic that is there already is left as it is.
 *
 * Throws MILLRACE_CONFIG_INVALID for a name that Kafka does not allow, MILLRACE_TOPIC_MISSING when a topic is not there
 * and is not to be created or cannot be, MILLRACE_BROKER_UNAVAILABLE.
 */
export async function ensureTopics(
  client: StreamClient,
  topics: readonly TopicSpec[],
  options: { readonly create: boolean },
): Promise<void> {
  for (const { topic } of topics) checkTopicName(topic);
  await withAdmin(client, 'Looking for topics', async (admin) => {
    const present = new Set(await admin.listTopics());
    const missing = topics.filter(({ topic }) => !present.has(topic));
    if (missing.length === 0) return;
    if (!options.create) throw missingTopics(missing.map(({ topic }) => topic));
    await createTopics(admin, missing);
    await describeUntilReady(admin, missing);
  });
}

/** How many partitions a topic has. Throws MILLRACE_TOPIC_MISSING, MILLRACE_BROKER_UNAVAILABLE. */
export async function countPartitions(client: StreamClient, topic: string): Promise<number> {
  await ensureTopics(client, [{ topic }], { create: false });
  return withAdmin(client, 'Describing a topic', async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0].partitions.length;
  });
}

/** Throws MILLRACE_CONFIG_INVALID for a name that Kafka does not allow. */
export function checkTopicName(topic: string): void {
  if (!/^[A-Za-z0-9._-]{1,249}$/.test(topic) || topic === '.' || topic === '..') {
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      `"${topic}" cannot be a topic: use up to 249 letters, digits, dots, underscores and hyphens.`,
    );
  }
}

/** Runs something with an administrative connection, and turns what it throws into our errors. */
export async function withAdmin<T>(
  client: StreamClient,
  doing: string,
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = client.kafka.admin();
  try {
    await admin.connect();
    return await work(admin);
  } catch (error) {
    throw brokerError(error, client, doing);
  } finally {
    await admin.disconnect();
  }
}

async function createTopics(admin: Admin, topics: readonly TopicSpec[]): Promise<void> {
  try {
    await admin.createTopics({
      waitForLeaders: false,
      topics: topics.map(({ topic, numPartitions = -1, settings = {} }) => ({
        topic,
        numPartitions,
        replicationFactor: -1,
        configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
      })),
    });
  } catch (error) {
    // Somebody else was faster: just what was wanted.
    if (protocolErrorType(error) === 'TOPIC_ALREADY_EXISTS') return;
    const names = topics.map(({ topic }) => topic).join(', ');
    throw new MillraceError(
      'MILLRACE_TOPIC_MISSING',
      `The topics ${names} could not be created (${protocolErrorType(error) ?? String(error)}): create them, or let this user do so.`,
      { cause: error, facts: { topics: names } },
    );
  }
}

async function describeUntilReady(admin: Admin, topics: readonly TopicSpec[]): Promise<void> {
  const deadline = performance.now() + describeTimeoutMs;
  while (!(await allHaveLeaders(admin, topics))) {
    if (performance.now() > deadline) throw missingTopics(topics.map(({ topic }) => topic));
    await delay(describeIntervalMs);
  }
}

async function allHaveLeaders(admin: Admin, topics: readonly TopicSpec[]): Promise<boolean> {
  try {
    const described = await admin.fetchTopicMetadata({ topics: topics.map(({ topic }) => topic) });
    return described.topics.every(
      ({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0),
    );
  } catch (error) {
    const notYet = ['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'];
    if (notYet.includes(protocolErrorType(error) ?? '')) return false;
    throw error;
  }
}

/** MILLRACE_TOPIC_MISSING. */
export function missingTopics(topics: readonly string[]): MillraceError {
  const names = topics.join(', ');
  return new MillraceError(
    'MILLRACE_TOPIC_MISSING',
    `The topic ${names} is not there: create it (millrace produce --partitions N does), or check its name and --brokers.`,
    { facts: { topics: names } },
  );
}
