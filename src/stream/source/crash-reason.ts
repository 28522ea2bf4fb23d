import { messageOf } from '../../errors.js';
import { protocolErrorType } from '../client/broker-error.js';

/** What is done about an end that the client will not mend by itself, by the protocol's name of the error. */
const remedies: Readonly<Record<string, (reading: Reading) => string>> = {
  GROUP_AUTHORIZATION_FAILED: ({ group }) =>
    `this user may not read as this group: allow READ on the group "${group}", or choose another --group`,
  TOPIC_AUTHORIZATION_FAILED: ({ topic }) =>
    `this user may not read the topic: allow READ and DESCRIBE on the topic "${topic}"`,
  CLUSTER_AUTHORIZATION_FAILED: () => 'this user may not do so on this cluster: look at its ACLs',
  INCONSISTENT_GROUP_PROTOCOL: () =>
    'programs of another kind share their partitions in this group: choose another --group',
  GROUP_MAX_SIZE_REACHED: () => 'the group has as many members as the broker allows (group.max.size)',
  INVALID_SESSION_TIMEOUT: () =>
    'the broker does not allow this --session-timeout-ms (group.min.session.timeout.ms and group.max.session.timeout.ms)',
};

interface Reading {
  readonly topic: string;
  readonly group: string;
}

/** Says in one sentence why the membership in a group has ended for good, and what to do where that is known. */
export function crashSentence(error: unknown, reading: Reading): string {
  const { group } = reading;
  const remedy = remedies[protocolErrorType(error) ?? '']?.(reading);
  const reason = remedy ?? messageOf(error).replace(/\.$/, '');
  return `The consumer of group "${group}" ended: ${reason}.`;
}

/** Says why the client begins anew, which it does by itself. */
export function restartReason(error: unknown, { topic }: Reading): string {
  return protocolErrorType(error) === 'UNKNOWN_TOPIC_OR_PARTITION'
    ? `the topic "${topic}" is not there`
    : `the consumer is started again: ${messageOf(error)}`;
}
