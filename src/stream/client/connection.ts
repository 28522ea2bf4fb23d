import type { ConnectionOptions } from 'node:tls';
import { Kafka, type KafkaConfig, type SASLOptions } from 'kafkajs';
import { hideCredentials } from '../../config/hide-credentials.js';
import { defineOptions, type Compiled } from '../../config/options.js';
import { minTlsVersion, readAuthority, readCertificate } from '../../config/tls-files.js';
import { MillraceError } from '../../errors.js';
import type { Logger } from '../../telemetry/logger.js';
import { readFetchAnswers } from './fetch-answers.js';
import { kafkaLogCreator, kafkaLogLevel } from './kafka-log.js';
import { armTimersOnlyWhenNeeded } from './idle-timer.js';
import { joinAnswersAsTheyCome } from './answer-frames.js';
import { writeBatchesDirectly } from './produced-batches.js';

/** How to reach the brokers; shared by every program that talks to Kafka. */
export const connectionOptions = defineOptions({
  brokers: {
    type: 'list',
    default: ['127.0.0.1:9092'],
    placeholder: 'HOST:PORT,...',
    description: 'Brokers to begin with; the others of the cluster are found through them',
    section: 'Kafka',
  },
  clientId: {
    type: 'string',
    default: 'millrace',
    description: "Name of this client in the brokers' logs and quotas",
    section: 'Kafka',
  },
  tls: {
    type: 'boolean',
    default: false,
    description: 'Encrypt the connection; the certificate of the broker is checked',
    section: 'Kafka',
  },
  tlsCa: {
    type: 'string',
    placeholder: 'FILE',
    description: 'PEM file of the authority that signed the certificates of the brokers',
    section: 'Kafka',
  },
  tlsCert: {
    type: 'string',
    placeholder: 'FILE',
    description: 'PEM file of the certificate of this client, for brokers that ask for one',
    section: 'Kafka',
  },
  tlsKey: {
    type: 'string',
    placeholder: 'FILE',
    description: 'PEM file of the private key that belongs to --tls-cert',
    section: 'Kafka',
  },
  saslMechanism: {
    type: 'string',
    choices: ['plain', 'scram-sha-256', 'scram-sha-512'],
    description: 'How this client proves who it is',
    section: 'Kafka',
  },
  saslUsername: { type: 'string', description: 'User name for SASL', section: 'Kafka' },
  saslPassword: { type: 'string', secret: true, description: 'Password for SASL', section: 'Kafka' },
});

/** How to reach the brokers, as far as it is not as usual. */
export type ConnectionSettings = Partial<Compiled<typeof connectionOptions>>;

/** What the parts of this folder are built on. It holds no connection: each part opens and closes its own. */
export interface StreamClient {
  readonly kafka: Kafka;
  /** The same cluster, with the waiting times of transactions. */
  readonly transactions: Kafka;
  /** Where the connection begins, for messages. */
  readonly brokers: readonly string[];
  readonly logger: Logger;
}

/**
 * Retries within one call of the client. They bridge a moment, such as the election of a leader; what lasts longer is
 * for the caller to report and to retry. Six attempts at a closed port take about three seconds.
 */
const retry = { initialRetryTime: 100, multiplier: 2, factor: 0.2, maxRetryTime: 1_500, retries: 5 } as const;

/**
 * Transactions meet answers that mean "not yet, the one before is just ending" and pass within milliseconds. All
 * attempts take about three seconds, as above.
 */
const transactionRetry = {
  initialRetryTime: 5,
  multiplier: 1.5,
  factor: 0.2,
  maxRetryTime: 500,
  retries: 15,
} as const;

/**
 * Prepares the client of a cluster. Nothing is sent yet, so a broker that is not there shows in what is done next.
 * Throws MILLRACE_CONFIG_INVALID for options that do not fit together, MILLRACE_FILE_UNUSABLE for a file
 * that is not the certificate or key it must be.
 */
export function connect(options: ConnectionSettings, logger: Logger): StreamClient {
  armTimersOnlyWhenNeeded();
  readFetchAnswers();
  writeBatchesDirectly();
  joinAnswersAsTheyCome();
  const brokers = (options.brokers ?? connectionOptions.brokers.default).map(checkedAddress);
  if (brokers.length === 0) throw invalid('Give at least one broker with --brokers HOST:PORT.');
  const config: KafkaConfig = {
    brokers,
    clientId: options.clientId ?? connectionOptions.clientId.default,
    ssl: tlsOptions(options),
    sasl: saslOptions(options),
    connectionTimeout: 3_000,
    authenticationTimeout: 10_000,
    requestTimeout: 30_000,
    retry,
    logLevel: kafkaLogLevel(logger),
    logCreator: kafkaLogCreator(logger),
  };
  const kafka = new Kafka(config);
  const transactions = new Kafka({ ...config, requestTimeout: 15_000, retry: transactionRetry });
  return { kafka, transactions, brokers, logger };
}

/** `host:port` or `[ipv6]:port`, as it is. */
function checkedAddress(address: string): string {
  const port = Number(/^(?:\[[^\]]+\]|[^:\s]+):(\d{1,5})$/.exec(address)?.[1]);
  if (!(port > 0 && port < 65_536)) {
    throw invalid(
      `--brokers has "${hideCredentials(address)}"; write each broker as HOST:PORT, such as 127.0.0.1:9092.`,
    );
  }
  return address;
}

function tlsOptions(options: ConnectionSettings): ConnectionOptions | undefined {
  const { tls, tlsCa, tlsCert, tlsKey } = options;
  if (!tls) {
    if ([tlsCa, tlsCert, tlsKey].some((file) => file !== undefined)) {
      throw invalid('A certificate or key was given without --tls; add --tls, or take it away.');
    }
    return undefined;
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw invalid('Give --tls-cert and --tls-key together: a certificate is of no use without its key.');
  }
  return {
    minVersion: minTlsVersion,
    ca: tlsCa === undefined ? undefined : readAuthority({ flag: '--tls-ca', file: tlsCa }),
    ...(tlsCert !== undefined &&
      tlsKey !== undefined &&
      readCertificate({ flag: '--tls-cert', file: tlsCert }, { flag: '--tls-key', file: tlsKey })),
  };
}

function saslOptions(options: ConnectionSettings): SASLOptions | undefined {
  const { saslMechanism: mechanism, saslUsername: username, saslPassword: password } = options;
  if (mechanism === undefined) {
    if (username !== undefined || password !== undefined) {
      throw invalid('A user name or password for SASL was given; say with --sasl-mechanism how to use it.');
    }
    return undefined;
  }
  if (username === undefined || password === undefined) {
    throw invalid(`--sasl-mechanism ${mechanism} needs --sasl-username and --sasl-password.`);
  }
  return { mechanism, username, password };
}

function invalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_CONFIG_INVALID', message);
}
