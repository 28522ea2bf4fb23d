import kafkajs from 'kafkajs';
import { MillraceError, messageOf, type ErrorCode } from '../../errors.js';
import type { StreamClient } from './connection.js';
import { tlsTrouble } from './tls-trouble.js';

/**
 * Says in our words what the Kafka client threw: MILLRACE_BROKER_UNAVAILABLE when no broker could be reached or it
 * refused the credentials, `otherwise` for everything else. A MillraceError stays as it is.
 *
 * @param doing what could not be done, such as `Reading the topic list`
 */
export function brokerError(
  error: unknown,
  client: StreamClient,
  doing: string,
  otherwise: ErrorCode = 'MILLRACE_BROKER_UNAVAILABLE',
): MillraceError {
  if (error instanceof MillraceError) return error;
  const cause = rootOf(error);
  const brokers = client.brokers.join(', ');
  const options = { facts: { brokers, doing }, cause: error };
  if (cause.name === 'KafkaJSSASLAuthenticationError') {
    return new MillraceError(
      'MILLRACE_BROKER_UNAVAILABLE',
      `The broker at ${brokers} refused the credentials: check --sasl-mechanism, --sasl-username and the password.`,
      options,
    );
  }
  if (protocolErrorType(error) === 'ILLEGAL_SASL_STATE') {
    return new MillraceError(
      'MILLRACE_BROKER_UNAVAILABLE',
      `The broker at ${brokers} does not ask for credentials on this port: take --sasl-mechanism away, or give another port.`,
      options,
    );
  }
  const tls = tlsTrouble(cause);
  if (tls !== undefined) {
    return new MillraceError('MILLRACE_BROKER_UNAVAILABLE', `The broker at ${brokers} ${tls}.`, options);
  }
  if (isConnectionTrouble(cause)) {
    return new MillraceError(
      'MILLRACE_BROKER_UNAVAILABLE',
      `No broker answers at ${brokers} (${messageOf(cause)}): start it, or give its address with --brokers (and --tls, --sasl-mechanism if it asks for them).`,
      options,
    );
  }
  return new MillraceError(
    otherwise,
    `${doing} failed at ${brokers}: ${messageOf(cause).replace(/\.$/, '')}.`,
    options,
  );
}

/** The protocol's name of an error, such as TOPIC_ALREADY_EXISTS, wherever the client has wrapped it. */
export function protocolErrorType(error: unknown): string | undefined {
  return (rootOf(error) as { type?: string }).type;
}

const connectionErrors = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
]);

function isConnectionTrouble(error: Error): boolean {
  return connectionErrors.has(error.name);
}

/** The client wraps errors in `cause` and in lists (`errors`, of which the first speaks for all). */
function rootOf(error: unknown): Error {
  const { cause, errors } = error as { cause?: unknown; errors?: readonly unknown[] };
  if (Array.isArray(errors) && errors.length > 0) return rootOf(errors[0]);
  if (cause instanceof Error && error instanceof kafkajs.KafkaJSError) return rootOf(cause);
  return error instanceof Error ? error : new Error(String(error));
}
