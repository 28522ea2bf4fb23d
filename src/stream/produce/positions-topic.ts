import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { TopicSpec } from '../topics/topics.js';

/** The topic that holds how far the jobs are that produce to a topic. */
export function positionsTopic(topic: string): string {
  return `${topic}.positions`;
}

/** One partition, so that one reading finds all; small segments, so that what is outdated is soon removed. */
export function positionsTopicSpec(topic: string): TopicSpec {
  return {
    topic: positionsTopic(topic),
    numPartitions: 1,
    settings: { 'cleanup.policy': 'compact', 'segment.bytes': String(16 * 1024 * 1024) },
  };
}

/** The name of a job that was not given one: the same topic and files, as they were named, make the same job. */
export function jobName(topic: string, files: readonly string[]): string {
  const facts = JSON.stringify([topic, files.map((file) => resolve(file))]);
  return createHash('sha256').update(facts).digest('hex').slice(0, 16);
}
