import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrokerProperties } from '../../deploy/embedded-broker/broker-properties.js';
import { startEmbeddedBroker, type EmbeddedBroker } from '../../deploy/embedded-broker/embedded-broker.js';
import { freePorts } from '../../deploy/embedded-broker/free-ports.js';
import { cacheFolder } from '../../src/config/cache-folder.js';
import { readEnvironment } from '../../src/config/environment.js';
import { compileOptions } from '../../src/config/options.js';
import { connect, connectionOptions, type StreamClient } from '../../src/stream/client/connection.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { KafkaProxy } from './kafka-proxy.js';

/**
 * A broker of a test's own, which can be killed and come back with its data. It has two addresses: one direct, for
 * the test itself, and one that leads through a proxy, for the processes that are tested.
 */
export class KillableBroker {
  /** The direct address. */
  readonly address: string;
  readonly proxy: KafkaProxy;
  readonly #options: Parameters<typeof startEmbeddedBroker>[0] & { readonly dataFolder: string };
  #broker: EmbeddedBroker | undefined;

  private constructor(port: number, proxy: KafkaProxy, properties: BrokerProperties) {
    this.address = `127.0.0.1:${port}`;
    this.proxy = proxy;
    this.#options = {
      cacheFolder: cacheFolder(readEnvironment()['MILLRACE_CACHE']),
      dataFolder: mkdtempSync(join(tmpdir(), 'millrace-killable-')),
      port,
      properties,
    };
  }

  /** @param properties of Kafka's server.properties, besides those that it needs for its listeners */
  static async start(properties: BrokerProperties = {}): Promise<KillableBroker> {
    const [direct, behindProxy, controller] = await freePorts(3);
    const proxy = await KafkaProxy.start(behindProxy);
    const listeners = (proxied: number) => `PLAINTEXT://127.0.0.1:${direct},PROXIED://127.0.0.1:${proxied}`;
    const broker = new KillableBroker(direct, proxy, {
      listeners: `${listeners(behindProxy)},CONTROLLER://127.0.0.1:${controller}`,
      'advertised.listeners': listeners(proxy.port),
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT',
      'controller.quorum.voters': `1@127.0.0.1:${controller}`,
      // The controller soon takes the broker that crashed for gone, and lets it come back.
      'broker.session.timeout.ms': 2_000,
      'broker.heartbeat.interval.ms': 500,
      // Members may be missed sooner than in production, so that tests need not wait for it.
      'group.min.session.timeout.ms': 1_000,
      'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500,
      ...properties,
    });
    await broker.restart();
    return broker;
  }

  /** The address that leads through the proxy. */
  get proxied(): string {
    return `127.0.0.1:${this.proxy.port}`;
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    await this.#broker!.kill();
  }

  /** Starts it with the data of before; resolves when it serves clients. */
  async restart(): Promise<void> {
    this.#broker = await startEmbeddedBroker(this.#options);
  }

  /** Ends it and removes its data. */
  async close(): Promise<void> {
    await this.proxy.close();
    await this.#broker!.kill();
    rmSync(this.#options.dataFolder, { recursive: true, force: true });
  }

  /** A client of the direct address. */
  client(): StreamClient {
    const options = compileOptions(connectionOptions, { flags: { brokers: this.address } });
    return connect(options, createLogger({ name: 'test', level: 'silent' }));
  }
}
