import { logLevel, type LogEntry, type logCreator } from 'kafkajs';
import type { Logger } from '../../telemetry/logger.js';

/** The facts of a line of the client that are worth keeping; requests, payloads and stacks are not among them. */
const keptFields = [
  'broker',
  'clientId',
  'groupId',
  'topic',
  'partition',
  'error',
  'retryCount',
  'retryTime',
];

/** Parts of the client whose errors are either retried or reach us as an exception or an event. */
const retryingParts = new Set(['Connection', 'BrokerPool', 'Broker', 'Producer', 'Admin', 'Consumer']);

/**
 * Leads the lines of kafkajs into ours, one level down: it calls an error what it then retries, such as every
 * rebalance and every connection that is refused. What is final reaches the caller, who reports it once.
 */
export function kafkaLogCreator(logger: Logger): logCreator {
  const kafka = logger.child({ library: 'kafkajs' });
  return () => (entry: LogEntry) => {
    const { message, ...extra } = entry.log;
    const facts = Object.fromEntries(
      keptFields
        .filter((field) => extra[field] !== undefined)
        .map((field) => [field, extra[field] as unknown]),
    );
    kafka[levelOf(entry)]({ part: entry.namespace, ...facts }, message);
  };
}

/** The least severe lines that kafkajs need make at all. */
export function kafkaLogLevel(logger: Logger): logLevel {
  if (logger.isLevelEnabled('trace')) return logLevel.DEBUG;
  if (logger.isLevelEnabled('debug')) return logLevel.INFO;
  return logger.isLevelEnabled('warn') ? logLevel.ERROR : logLevel.NOTHING;
}

function levelOf({ level, namespace }: LogEntry): 'warn' | 'debug' | 'trace' {
  if (level === logLevel.ERROR) return retryingParts.has(namespace) ? 'debug' : 'warn';
  return level === logLevel.DEBUG ? 'trace' : 'debug';
}
