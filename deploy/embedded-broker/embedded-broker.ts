import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MillraceError } from '../../src/errors.js';
import { quote, type ScramUser } from './broker-command.js';
import { prepareEngine, type BrokerEngine } from './broker-engine.js';
import { newLogFile, tailOfLog } from './broker-log.js';
import type { BrokerLayout, BrokerProperties, SecurityProtocol } from './broker-properties.js';
import { freePorts } from './free-ports.js';
import { GuardedProcess } from './guarded-process.js';
import { brokerAnswers } from './readiness.js';

export interface EmbeddedBrokerOptions {
  /** Where Kafka's jars and the logs are kept. */
  readonly cacheFolder: string;
  /** Where the data stays; without it the data is in a temporary folder and ends with the broker. */
  readonly dataFolder?: string;
  /** The port of the PLAINTEXT listener; without it a free one. */
  readonly port?: number;
  /** Listeners besides PLAINTEXT, each on a free port; their keys and users come by `properties`. */
  readonly listeners?: readonly Exclude<SecurityProtocol, 'PLAINTEXT'>[];
  /** Properties of Kafka's server.properties, which win over ours. */
  readonly properties?: BrokerProperties;
  /** Users for SASL by SCRAM; of a kept data folder only the first start makes them. */
  readonly scramUsers?: readonly ScramUser[];
  /** What it runs on; found, and prepared with its steps on standard error, unless given. */
  readonly engine?: BrokerEngine;
}

/** A real Kafka of one node on loopback, which ends with this process however that ends. */
export interface EmbeddedBroker {
  /** Addresses of the PLAINTEXT listener, as clients take them. */
  readonly brokers: readonly string[];
  /** Addresses by protocol. */
  readonly addresses: Readonly<Partial<Record<SecurityProtocol, string>>>;
  /** The log, which stays. */
  readonly logFile: string;
  /** Resolves when the broker has ended, whether it was told to or not. */
  readonly ended: Promise<void>;
  /** Ends it and removes data that is not to be kept. */
  stop(): Promise<void>;
  /** Ends it as a crash would; with the same `dataFolder` and `port` another one takes its place. */
  kill(): Promise<void>;
}

const startTimeoutMs = 60_000;
const pollMs = 100;
/** A broker whose data is kept may finish writing it. */
const graceSeconds = 20;

/**
 * Starts a broker and resolves when it serves clients. The first start fetches Kafka; later ones touch no network.
 * Throws MILLRACE_EMBEDDED_BROKER_FAILED with the end of the log, or with what has to be installed.
 */
export async function startEmbeddedBroker(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
  const engine = options.engine ?? (await prepareEngine(options.cacheFolder, process.stderr));
  const ports = await choosePorts(options);
  const keptFolder = options.dataFolder === undefined ? undefined : resolve(options.dataFolder);
  const folder = keptFolder ?? mkdtempSync(join(tmpdir(), 'millrace-kafka-'));
  mkdirSync(folder, { recursive: true });
  const { command, atEnd } = engine.prepare({
    folder,
    keptFolder,
    ...ports,
    overrides: options.properties,
    users: options.scramUsers,
  });

  const logFile = newLogFile(options.cacheFolder);
  const remove = keptFolder === undefined ? `rm -rf ${quote(folder)}` : '';
  const guarded = new GuardedProcess(
    { command, atEnd: [atEnd, remove].filter((each) => each !== '').join('; ') },
    keptFolder === undefined ? 0 : graceSeconds,
    logFile,
  );
  await untilReady(guarded, ports.ports.PLAINTEXT, logFile);
  const addresses = Object.entries(ports.ports).map(([protocol, port]) => [protocol, `127.0.0.1:${port}`]);
  return {
    brokers: [`127.0.0.1:${ports.ports.PLAINTEXT}`],
    addresses: Object.fromEntries(addresses) as EmbeddedBroker['addresses'],
    logFile,
    ended: guarded.ended,
    stop: () => guarded.stop(),
    kill: () => guarded.kill(),
  };
}

async function choosePorts(
  options: EmbeddedBrokerOptions,
): Promise<Pick<BrokerLayout, 'ports' | 'controllerPort'>> {
  const protocols = options.listeners ?? [];
  const [controllerPort, plainPort, ...others] = await freePorts(2 + protocols.length);
  return {
    controllerPort,
    ports: {
      PLAINTEXT: options.port ?? plainPort,
      ...Object.fromEntries(protocols.map((protocol, index) => [protocol, others[index]])),
    },
  };
}

async function untilReady(guarded: GuardedProcess, port: number, logFile: string): Promise<void> {
  let ended = false;
  void guarded.ended.then(() => (ended = true));
  const deadline = performance.now() + startTimeoutMs;
  while (!(await brokerAnswers(port))) {
    if (!ended && performance.now() < deadline) {
      await delay(pollMs);
      continue;
    }
    const reason = ended ? 'ended before it was ready' : `was not ready within ${startTimeoutMs / 1_000} s`;
    await guarded.stop();
    throw new MillraceError(
      'MILLRACE_EMBEDDED_BROKER_FAILED',
      `The embedded broker ${reason}; the end of its log ${logFile} says:\n${tailOfLog(logFile)}`,
      { facts: { logFile } },
    );
  }
}
