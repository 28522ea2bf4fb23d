import { MillraceError } from '../../errors.js';
import { brokerError, protocolErrorType } from '../client/broker-error.js';
import type { StreamClient } from '../client/connection.js';

/** Answers of brokers that concern a topic and stay as they are until somebody mends it, and what that is. */
const mends: Readonly<Record<string, string>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'create it',
  INVALID_TOPIC_EXCEPTION: 'check its name',
  TOPIC_AUTHORIZATION_FAILED: 'allow this user to write it',
  CLUSTER_AUTHORIZATION_FAILED: 'allow this user to write it',
  MESSAGE_TOO_LARGE: 'raise its max.message.bytes',
  RECORD_LIST_TOO_LARGE: 'raise its segment.bytes',
  NOT_ENOUGH_REPLICAS: 'bring its replicas back',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'bring its replicas back',
  LEADER_NOT_AVAILABLE: 'bring its replicas back',
  KAFKA_STORAGE_ERROR: 'look after the disks of the brokers',
  LOG_DIR_NOT_FOUND: 'look after the disks of the brokers',
  POLICY_VIOLATION: 'look at its policy',
  INVALID_RECORD: 'look at its settings',
  INVALID_TIMESTAMP: 'look at its limits for times',
  UNSUPPORTED_COMPRESSION_TYPE: 'look at its compression.type',
  OPERATION_NOT_ATTEMPTED: 'see that all are there and may be written',
};

/**
 * Says in our words why records could not be written: MILLRACE_TOPIC_UNWRITABLE when brokers answer and a topic is in
 * the way, MILLRACE_BROKER_UNAVAILABLE when they do not answer, MILLRACE_PRODUCE_FAILED for everything else.
 *
 * @param topics that the records were for; which of them is in the way, brokers and client do not tell
 */
export function writeError(error: unknown, client: StreamClient, topics: readonly string[]): MillraceError {
  const type = protocolErrorType(error) ?? '';
  const names = [...new Set(topics)].join(' or ');
  if (!Object.hasOwn(mends, type)) {
    return brokerError(error, client, `Writing to ${names}`, 'MILLRACE_PRODUCE_FAILED');
  }
  return topicUnwritable(names, `${type}: ${mends[type]}`, error);
}

/** @param why the reason and what to do, behind `cannot be written` */
export function topicUnwritable(topics: string, why: string, cause?: unknown): MillraceError {
  return new MillraceError('MILLRACE_TOPIC_UNWRITABLE', `${topics} cannot be written, ${why}.`, {
    facts: { topics },
    cause,
  });
}
